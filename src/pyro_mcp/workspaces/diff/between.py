"""Compare two states of a workspace: snapshots, or a snapshot and now.

Every state knows what differs from the seed, which is one and the same for all. So each is asked for that, in a throwaway machine
that sees its layers; what neither changed is the same in both, and contents are fetched only where hashes differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack

from pyro_mcp.models.diff import DiffFormat, WorkspaceDiff
from pyro_mcp.workspaces.diff.baseline import (
    Changed,
    counts,
    entry,
    hidden_paths,
    narrowed,
    records,
    shown_diff,
)
from pyro_mcp.workspaces.diff.entries import Change, Entry
from pyro_mcp.workspaces.diff.filters import path_filter, plain_paths
from pyro_mcp.workspaces.diff.ignored import Reason
from pyro_mcp.workspaces.diff.unmatched import paths_of_nothing
from pyro_mcp.workspaces.files.guest_files import GuestFile, Record, name_bytes
from pyro_mcp.workspaces.looking import looking, told
from pyro_mcp.workspaces.registry import snapshots
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord
from pyro_mcp.workspaces.session import Session, Sessions

# The records of one state, by path.
State = dict[bytes, Record]


def diff_snapshots(
    sessions: Sessions,
    reference: str,
    *,
    from_snapshot: str,
    to_snapshot: str | None,
    paths: Sequence[str],
    format: DiffFormat,
    include_ignored: bool,
) -> WorkspaceDiff:
    """Show what changed from one snapshot to another, or to now; a stopped workspace is started only for now."""
    with ExitStack() as held:
        if to_snapshot is None:
            after = held.enter_context(sessions.using(reference, "diff", **{"from": from_snapshot}))
            before = held.enter_context(_at(sessions, after.record, from_snapshot))
        else:
            record = held.enter_context(
                told(sessions, reference, "diff", **{"from": from_snapshot, "to": to_snapshot})
            )
            before = held.enter_context(_at(sessions, record, from_snapshot))
            after = held.enter_context(_at(sessions, record, to_snapshot))
        changed = compare_states(before, after, paths=paths, include_ignored=include_ignored)
        return shown_diff(after, changed, format)


def _at(sessions: Sessions, record: WorkspaceRecord, name: str) -> AbstractContextManager[Session]:
    with sessions.registry.reading() as reading:
        layer = snapshots.get(reading, record.id, name).layer_id
    return looking(sessions, record, layer)


def compare_states(
    before: Session, after: Session, *, paths: Sequence[str], include_ignored: bool
) -> Changed:
    """Fetch what differs between two states, with both contents."""
    patterns = [name_bytes(path) for path in paths]
    wanted, names = path_filter(patterns), plain_paths(patterns) or ()
    old, new = (_state(session, names, contents=False) for session in (before, after))
    differing = [path for path in sorted(old.keys() | new.keys()) if wanted(path) and differ(path, old, new)]
    unmatched = paths_of_nothing(after, paths, old.keys() | new.keys())
    hidden: Mapping[bytes, Reason] = {}
    if not include_ignored:
        hidden = hidden_paths(after, [(old.get(path) or new[path]) for path in differing])
    asked = [path for path in differing if path not in hidden]
    fetched = narrowed(asked, names)
    if fetched is None:
        return Changed((), *counts(hidden), unmatched=unmatched)
    old, new = (_state(session, fetched, contents=True) for session in (before, after))
    changes = [change(path, old, new) for path in asked if path in old or path in new]
    kept = tuple(item for item in changes if item.old is not None or item.new is not None)
    return Changed(kept, *counts(hidden), not_shown=len(changes) - len(kept), unmatched=unmatched)


def _state(session: Session, names: Sequence[bytes], *, contents: bool) -> State:
    return {record.path: record for record in records(session, names, contents=contents, hashes=not contents)}


def differ(path: bytes, old: State, new: State) -> bool:
    """Tell whether a path differs between two states; what only one of them changed does."""
    one, other = old.get(path), new.get(path)
    return one is None or other is None or _identity(one.new) != _identity(other.new)


def _identity(file: GuestFile | None) -> object:
    return None if file is None else (file.kind, file.mode, file.sha256, file.target)


def change(path: bytes, old: State, new: State) -> Change:
    """Give both states of a path; what one of them did not change is in it as it was seeded, which the other one knows."""
    one, other = old.get(path), new.get(path)
    before = entry(one.new, one) if one is not None else _seeded(other)
    after = entry(other.new, other) if other is not None else _seeded(one)
    return Change(path, before, after)


def _seeded(record: Record | None) -> Entry | None:
    return None if record is None else entry(record.old, record)
