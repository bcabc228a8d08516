"""Put several workspaces side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pyro_mcp.errors import InvalidRequest, PyroError
from pyro_mcp.models.summary import Attempt, ComparedFile, WorkspaceComparison
from pyro_mcp.workspaces.diff import baseline
from pyro_mcp.workspaces.session import Sessions
from pyro_mcp.workspaces.summary.summarize import summary_of

_SHOWN_DIGITS = 12


@dataclass(frozen=True, slots=True)
class _Compared:
    """An attempt and the paths it changed."""

    attempt: Attempt
    paths: tuple[str, ...] = ()


def compare_workspaces(sessions: Sessions, references: Sequence[str]) -> WorkspaceComparison:
    """Compare what was changed and how the tests went; a workspace that cannot be read says so in its own place."""
    if len(set(references)) < len(references):
        raise InvalidRequest("a workspace is named twice", hint="Name each workspace once.")
    if len(references) < 2:
        raise InvalidRequest(
            "there is nothing to compare",
            hint="Name two workspaces or more; `<<workspace_list>>` shows them.",
        )
    for reference in references:
        sessions.record(reference)  # a name that does not exist is a mistake of the caller's
    compared = [_compared(sessions, reference) for reference in references]
    return WorkspaceComparison(attempts=tuple(found.attempt for found in compared), files=_files(compared))


def _compared(sessions: Sessions, reference: str) -> _Compared:
    try:
        with sessions.using(reference, "compare") as session:
            changed = baseline.changed_files(session)
            tree = baseline.compare(changed)
            summary = summary_of(sessions, session, changed, tree)
    except PyroError as error:
        return _Compared(Attempt(workspace=reference, error=f"{error.code}: {error.brief}"))
    attempt = Attempt(
        workspace=summary.name or summary.workspace_id,
        files=len(summary.files),
        insertions=summary.insertions,
        deletions=summary.deletions,
        change=hashlib.sha256(tree.patch()).hexdigest()[:_SHOWN_DIGITS] if tree.files else None,
        tests=summary.tests_after,
        commands_run=summary.commands_run,
        commands_failed=summary.commands_failed,
        busy_ms=summary.busy_ms,
        findings=summary.findings,
    )
    return _Compared(attempt, tuple(file.path for file in summary.files))


def _files(compared: Sequence[_Compared]) -> tuple[ComparedFile, ...]:
    """What several changed stands first."""
    changed: dict[str, list[str]] = {}
    for found in compared:
        for path in found.paths:
            changed.setdefault(path, []).append(found.attempt.workspace)
    ordered = sorted(changed.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(ComparedFile(path=path, workspaces=tuple(names)) for path, names in ordered)
