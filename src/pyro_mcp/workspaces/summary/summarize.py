"""Put together what happened in one workspace."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pyro_mcp.models.summary import FileKind, Finding, KindTotal, SummarizedFile, WorkspaceSummary
from pyro_mcp.workspaces.diff import baseline
from pyro_mcp.workspaces.diff.baseline import Changed
from pyro_mcp.workspaces.diff.report import DiffedFile, TreeDiff
from pyro_mcp.workspaces.exec import kept_result
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.session import Session, Sessions
from pyro_mcp.workspaces.summary.commands import (
    commands_in,
    connections_in,
    failed_commands,
    since_start,
    tests_of,
)
from pyro_mcp.workspaces.summary.findings import below_git, findings_of
from pyro_mcp.workspaces.summary.kinds import kind_of

# More programs of git's than these are no accident, and the first ones say so.
_MOST_PROGRAMS = 100


def summarize(sessions: Sessions, reference: str) -> WorkspaceSummary:
    """Tell what changed, which commands were run and how they ended, and what a reviewer should look at."""
    with sessions.using(reference, "summary") as session:
        changed = baseline.changed_files(session)
        return summary_of(sessions, session, changed, baseline.compare(changed))


def summary_of(sessions: Sessions, session: Session, changed: Changed, tree: TreeDiff) -> WorkspaceSummary:
    """Join what the machine knows, the change, with what the host knows, the history."""
    record = session.record
    sessions.history.log_network(record.id)
    with sessions.registry.reading() as reading:
        since, reset_to, history = since_start(reading, record.id, record.created_at)
    commands = commands_in(history, partial(kept_result, sessions, record.id))
    before, after = tests_of(commands, session.outputs)
    files = tuple(map(_file, tree.files))
    found = WorkspaceSummary(
        workspace_id=record.id,
        name=record.name,
        state="running",
        since=since,
        reset_to=reset_to,
        files=files,
        kinds=_kinds(files),
        insertions=sum(file.insertions for file in files),
        deletions=sum(file.deletions for file in files),
        ignored=changed.ignored,
        generated=changed.generated,
        commands_run=len(commands),
        commands_failed=sum(command.failed for command in commands),
        busy_ms=sum(command.duration_ms for command in commands),
        failed=failed_commands(commands),
        tests_before=before,
        tests_after=after,
        connections=connections_in(history),
        findings=(
            *findings_of(tree, changed.changes, changed.not_shown),
            *_below_git(sessions, session),
        ),
        resumed=session.resumed is not None,
        resumed_reason=session.resumed,
    )
    return session.shown(found)


def _below_git(sessions: Sessions, session: Session) -> tuple[Finding, ...]:
    request = {"verb": "tree.changes", "git": True, "limit": _MOST_PROGRAMS}
    records, _ = guest_files.changes(session, request)
    digest = session.record.seed_digest
    return below_git(
        [record.path for record in records], sessions.seeds.manifest(digest) if digest is not None else {}
    )


def _file(file: DiffedFile) -> SummarizedFile:
    record = file.record
    return SummarizedFile(
        path=record.path,
        old_path=record.old_path,
        status=record.status,
        kind=kind_of(record.path),
        insertions=record.insertions,
        deletions=record.deletions,
        binary=record.binary,
    )


def _kinds(files: Sequence[SummarizedFile]) -> tuple[KindTotal, ...]:
    """Most files first."""
    kinds: dict[FileKind, list[SummarizedFile]] = {}
    for file in files:
        kinds.setdefault(file.kind, []).append(file)
    totals = [
        KindTotal(
            kind=kind,
            files=len(found),
            insertions=sum(file.insertions for file in found),
            deletions=sum(file.deletions for file in found),
        )
        for kind, found in kinds.items()
    ]
    return tuple(sorted(totals, key=lambda total: (-total.files, total.kind)))
