"""Show what changed in a workspace since its baseline: the changed files come from the guest, the comparing is ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyro_mcp.errors import GuestFailed, LimitReached
from pyro_mcp.models.diff import DiffFormat, WorkspaceDiff
from pyro_mcp.models.patch import EntryType
from pyro_mcp.workspaces.diff import ignored
from pyro_mcp.workspaces.diff.entries import Change, Entry
from pyro_mcp.workspaces.diff.filters import path_filter, plain_paths
from pyro_mcp.workspaces.diff.ignored import Reason
from pyro_mcp.workspaces.diff.report import MAX_COMPARED, TreeDiff, diff_trees
from pyro_mcp.workspaces.diff.unmatched import paths_of_nothing
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.files.guest_files import GuestFile, Record
from pyro_mcp.workspaces.secrets.refusing import refuse_secrets, secrets_in
from pyro_mcp.workspaces.session import Session

# Both states of all changed files are in memory while they are compared.
_MOST_COMPARED = 256 << 20
_GIT_KINDS = frozenset({"file", "link"})
# A request has 64 KiB; more names than fit into this are not given, all contents come then.
_MOST_NAMES = 16 << 10


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed, with both states; how many new files git ignores and how many tools generate; changes git has no form for."""

    changes: tuple[Change, ...]
    ignored: int = 0
    generated: int = 0
    not_shown: int = 0
    unmatched: tuple[str, ...] = ()


def diff_workspace(
    session: Session, *, paths: Sequence[str], format: DiffFormat, include_ignored: bool = False
) -> WorkspaceDiff:
    """Give the change as a patch that `git apply` takes, or as what git's --stat or --name-status would print."""
    return shown_diff(session, changed_files(session, paths=paths, include_ignored=include_ignored), format)


def shown_diff(session: Session, changed: Changed, format: DiffFormat) -> WorkspaceDiff:
    """Shape what changed as callers see it. Raises PolicyDenied for a patch that would show a secret."""
    tree = compare(changed)
    if format == "patch":
        refuse_secrets(secrets_in(session.redactor, tree, changed.changes))
    session.note(files=len(tree.files))
    return session.shown(
        tree.to_model(
            format,
            ignored=changed.ignored,
            generated=changed.generated,
            not_shown=changed.not_shown,
            unmatched=changed.unmatched,
        )
    )


def compare(changed: Changed) -> TreeDiff:
    """Compare both states of what changed."""
    return diff_trees(changed.changes)


def changed_files(session: Session, *, paths: Sequence[str] = (), include_ignored: bool = False) -> Changed:
    """Fetch what changed since the baseline, without new files that git ignores in its repository, or that tools generate."""
    patterns = [guest_files.name_bytes(path) for path in paths]
    wanted = path_filter(patterns)
    names: Sequence[bytes] | None = plain_paths(patterns)
    hidden: Mapping[bytes, Reason] = {}
    seen: set[bytes] = set()
    if not include_ignored:
        listed = [record for record in records(session, names or (), contents=False) if wanted(record.path)]
        hidden = hidden_paths(session, listed)
        seen = {record.path for record in listed}
        # Build products can be a hundred times what is to be shown: they stay where they are.
        names = (
            narrowed([record.path for record in listed if record.path not in hidden], names or ())
            if hidden
            else names
        )
    found = records(session, names, contents=True) if names is not None else []
    shown = [record for record in found if wanted(record.path) and record.path not in hidden]
    changes = tuple(_change(record) for record in shown if _has_form(record))
    unmatched = paths_of_nothing(session, paths, seen or {record.path for record in shown})
    return Changed(changes, *counts(hidden), not_shown=len(shown) - len(changes), unmatched=unmatched)


def hidden_paths(session: Session, found: Sequence[Record]) -> Mapping[bytes, Reason]:
    """Tell which new paths are left out. What was seeded is shown even if an ignore file names it: somebody wanted it in."""
    new = [record.path for record in found if record.old is None]
    if not new:
        return {}
    judge = ignored.new_files(session)
    return {path: reason for path in new if (reason := judge.reason(path))}


def counts(hidden: Mapping[bytes, Reason]) -> tuple[int, int]:
    """How many are ignored, and how many generated."""
    reasons = list(hidden.values())
    return reasons.count("ignored"), reasons.count("generated")


def narrowed(shown: Sequence[bytes], before: Sequence[bytes]) -> Sequence[bytes] | None:
    """Give the paths to fetch; None for none at all, and those of before where there are too many to name."""
    if not shown:
        return None
    return shown if sum(map(len, shown)) + 4 * len(shown) <= _MOST_NAMES else before


def records(
    session: Session, names: Sequence[bytes], *, contents: bool, hashes: bool = False
) -> list[Record]:
    """Ask what differs from the seed."""
    request: dict[str, object] = {
        "verb": "tree.changes",
        "paths": [guest_files.guest_path(name) for name in names],
        "contents": contents,
        "hash": hashes,
        "max_bytes": MAX_COMPARED,
        "max_total": _MOST_COMPARED,
    }
    found, answer = guest_files.changes(session, request)
    if answer.get("unseen"):
        raise GuestFailed(
            f"{answer['unseen']} changed entries cannot be looked at",
            hint="Commands that still change the tree may be the cause: let them end.",
        )
    if answer.get("complete") is not True:
        raise LimitReached(f"more than {len(found)} files changed", hint="Ask for some of them: give paths.")
    return found


def _has_form(record: Record) -> bool:
    return any(side is not None and side.kind in _GIT_KINDS for side in (record.old, record.new))


def _change(record: Record) -> Change:
    return Change(record.path, entry(record.old, record), entry(record.new, record))


def entry(side: GuestFile | None, record: Record) -> Entry | None:
    """Give one state of a path as git would know it; None for what it does not know."""
    if side is None or side.kind not in _GIT_KINDS:
        return None
    if side.kind == "link":
        return Entry("symlink", guest_files.name_bytes(side.target or ""))
    type_: EntryType = "executable" if side.mode & 0o111 else "regular"
    # What the guest left out for its size is told of as too large to compare.
    return Entry(type_, side.content, size=max(side.size, MAX_COMPARED + 1) if record.omitted else side.size)
