"""Show what changed in a workspace since its baseline: the changed files come from the guest, the comparing is ours."""

from __future__ import annotations

from collections.abc import Sequence

from pyro_mcp.models.diff import DiffFormat, WorkspaceDiff
from pyro_mcp.models.patch import EntryType
from pyro_mcp.workspaces import guest_files
from pyro_mcp.workspaces.diff.entries import Change, Entry
from pyro_mcp.workspaces.diff.report import MAX_COMPARED, TreeDiff, diff_trees
from pyro_mcp.workspaces.guest_files import GuestFile, Record
from pyro_mcp.workspaces.session import Session

# Both states of all changed files are in memory while they are compared.
_MOST_COMPARED = 512 << 20
_GIT_KINDS = frozenset({"file", "link"})


def diff_workspace(session: Session, *, paths: Sequence[str], format: DiffFormat) -> WorkspaceDiff:
    """Give the change as a patch that `git apply` takes, or as what git's --stat or --name-status would print."""
    tree, not_shown = compare(session, paths=paths)
    session.note(files=len(tree.files))
    return tree.to_model(format, not_shown=not_shown)


def compare(session: Session, *, paths: Sequence[str] = ()) -> tuple[TreeDiff, int]:
    """Compare a workspace with its baseline; the second value counts what git has no form for."""
    records, _ = guest_files.changes(
        session,
        {
            "verb": "tree.changes",
            "contents": True,
            "max_bytes": MAX_COMPARED,
            "max_total": _MOST_COMPARED,
        },
    )
    shown = [record for record in records if _has_form(record)]
    changes = [_change(record) for record in shown]
    tree = diff_trees(changes, paths=[path.encode("utf-8", "surrogateescape") for path in paths])
    return tree, len(records) - len(shown)


def _has_form(record: Record) -> bool:
    return any(side is not None and side.kind in _GIT_KINDS for side in (record.old, record.new))


def _change(record: Record) -> Change:
    return Change(record.path, _entry(record.old, record), _entry(record.new, record))


def _entry(side: GuestFile | None, record: Record) -> Entry | None:
    if side is None or side.kind not in _GIT_KINDS:
        return None
    if side.kind == "link":
        return Entry("symlink", guest_files.name_bytes(side.target or ""))
    type_: EntryType = "executable" if side.mode & 0o111 else "regular"
    # What the guest left out for its size is told of as too large to compare.
    return Entry(type_, side.content, size=max(side.size, MAX_COMPARED + 1) if record.omitted else side.size)
