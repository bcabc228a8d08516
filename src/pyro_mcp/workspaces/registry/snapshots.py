"""Snapshots: names for frozen layers, a tree per workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyro_mcp.errors import Conflict, InvalidRequest, NotFound
from pyro_mcp.workspaces.registry import layers
from pyro_mcp.workspaces.registry.database import Change, Reading, Row
from pyro_mcp.workspaces.registry.layers import PlannedLayer
from pyro_mcp.workspaces.registry.names import check_name
from pyro_mcp.workspaces.registry.times import from_ms, now_ms

BASELINE = "baseline"


@dataclass(frozen=True, kw_only=True)
class SnapshotRecord:
    """A named state of one workspace's disk, with the snapshot it grew from."""

    id: int
    workspace_id: str
    name: str
    parent: str | None
    layer_id: str
    created_at: datetime


def check_new(reading: Reading, workspace_id: str, name: str) -> None:
    """Refuse a name before anything is made for it: InvalidRequest when it cannot be, Conflict when it is taken."""
    if name != BASELINE:
        check_name(name, what="snapshot")
    if find(reading, workspace_id, name) is not None:
        raise Conflict(
            f"the workspace has a snapshot {name!r} already",
            hint="Choose another name, or delete that snapshot first.",
        )


def take(change: Change, workspace_id: str, name: str, overlay: PlannedLayer) -> SnapshotRecord:
    """Do stack() and name() at once: for a disk that no machine writes."""
    check_new(change, workspace_id, name)
    return name_layer(change, workspace_id, name, stack(change, workspace_id, overlay))


def stack(change: Change, workspace_id: str, overlay: PlannedLayer) -> str:
    """Let the workspace go on with `overlay`, whose file is there, and freeze the layer below. Returns that: a fork's ground.

    With a running machine: commit this **before** QEMU is told to switch, and name the layer after it has switched. Then a
    crash at any moment leaves a true record. Not switched yet, the machine goes on writing below an overlay that is empty, and
    nobody else stands on that layer, for it has no name. The other way round the overlay that QEMU writes would be unknown,
    and be removed as something half made.
    """
    top, _ = _standing(change, workspace_id)
    layers.freeze(change, top)
    layers.put_on_top(change, workspace_id, overlay, on=top)
    return top


def name_layer(change: Change, workspace_id: str, name: str, layer_id: str) -> SnapshotRecord:
    """Make a frozen layer of the workspace's, which nobody writes any more, its snapshot `name`, and where it stands."""
    check_new(change, workspace_id, name)
    _, at = _standing(change, workspace_id)
    _stand_at(change, workspace_id, _insert(change, workspace_id, name, at, layer_id))
    return get(change, workspace_id, name)


def reset(change: Change, workspace_id: str, name: str, overlay: PlannedLayer) -> None:
    """Go on from a snapshot with `overlay`; what was written since is unreferenced then (layers.free_unreferenced())."""
    snapshot = get(change, workspace_id, name)
    layers.put_on_top(change, workspace_id, overlay, on=snapshot.layer_id)
    _stand_at(change, workspace_id, snapshot.id)


def branch(
    change: Change, source_id: str, fork_id: str, overlay: PlannedLayer, *, at: str | None, layer_id: str
) -> None:
    """Let a new workspace grow from `layer_id` of another one with `overlay` of its own.

    The fork gets the snapshots that lead there (`at` and its ancestors, or those of where the source stands now when `at`
    is None), so that it has a baseline to reset to and to compare with.
    """
    layers.put_on_top(change, fork_id, overlay, on=layer_id)
    start = get(change, source_id, at).id if at is not None else _standing(change, source_id)[1]
    parent: int | None = None
    for ancestor in _lineage(change, start):
        parent = _insert(change, fork_id, ancestor.name, parent, ancestor.layer_id)
    _stand_at(change, fork_id, parent)


def find(reading: Reading, workspace_id: str, name: str) -> SnapshotRecord | None:
    """Find a snapshot of a workspace."""
    row = reading.row(f"{_SELECT} WHERE s.workspace_id = ? AND s.name = ?", (workspace_id, name))
    return None if row is None else _record(row)


def get(reading: Reading, workspace_id: str, name: str) -> SnapshotRecord:
    """Give a snapshot of a workspace; raises NotFound, naming those there are."""
    found = find(reading, workspace_id, name)
    if found is None:
        there = ", ".join(snapshot.name for snapshot in listed(reading, workspace_id)) or "none"
        raise NotFound(f"the workspace has no snapshot {name[:80]!r}", hint=f"It has: {there}.")
    return found


def listed(reading: Reading, workspace_id: str) -> tuple[SnapshotRecord, ...]:
    """List a workspace's snapshots in the order they were taken."""
    return tuple(
        map(_record, reading.rows(f"{_SELECT} WHERE s.workspace_id = ? ORDER BY s.id", (workspace_id,)))
    )


def delete(change: Change, workspace_id: str, name: str) -> None:
    """Forget a snapshot; those that grew from it hang on its parent then. Its layer: layers.free_unreferenced()."""
    if name == BASELINE:
        raise InvalidRequest(
            "the baseline cannot be deleted",
            details="Diff and reset stand on it.",
            hint="Delete the workspace instead, if you do not need it.",
        )
    snapshot = get(change, workspace_id, name)
    row = change.row("SELECT parent_id FROM snapshots WHERE id = ?", (snapshot.id,))
    parent_id = row[0] if row else None
    change.run("UPDATE snapshots SET parent_id = ? WHERE parent_id = ?", (parent_id, snapshot.id))
    change.run("UPDATE workspaces SET at_snapshot_id = ? WHERE at_snapshot_id = ?", (parent_id, snapshot.id))
    change.run("DELETE FROM snapshots WHERE id = ?", (snapshot.id,))


def _standing(reading: Reading, workspace_id: str) -> tuple[str, int | None]:
    """The layer a workspace writes, and the snapshot it grew from."""
    row = reading.row("SELECT top_layer_id, at_snapshot_id FROM workspaces WHERE id = ?", (workspace_id,))
    if row is None or row[0] is None:
        raise Conflict("the workspace has no disk yet", hint="Wait until it is created.")
    return row[0], row[1]


def _stand_at(change: Change, workspace_id: str, snapshot_id: int | None) -> None:
    change.run("UPDATE workspaces SET at_snapshot_id = ? WHERE id = ?", (snapshot_id, workspace_id))


def _insert(change: Change, workspace_id: str, name: str, parent_id: int | None, layer_id: str) -> int:
    return change.insert(
        "INSERT INTO snapshots (workspace_id, name, parent_id, layer_id, created_at) VALUES (?, ?, ?, ?, ?)",
        (workspace_id, name, parent_id, layer_id, now_ms()),
    )


def _lineage(reading: Reading, snapshot_id: int | None) -> list[SnapshotRecord]:
    """A snapshot and its ancestors, the eldest first."""
    rows = reading.rows(
        "WITH RECURSIVE up (id, depth) AS (SELECT ?, 0 UNION ALL "
        "SELECT s.parent_id, u.depth + 1 FROM snapshots s JOIN up u ON s.id = u.id WHERE s.parent_id IS NOT NULL) "
        "SELECT s.id, s.workspace_id, s.name, NULL, s.layer_id, s.created_at FROM snapshots s JOIN up u ON s.id = u.id "
        "ORDER BY u.depth DESC",
        (snapshot_id,),
    )
    return [_record(row) for row in rows]


_SELECT = """
SELECT s.id, s.workspace_id, s.name, p.name, s.layer_id, s.created_at
FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent_id
"""


def _record(row: Row) -> SnapshotRecord:
    return SnapshotRecord(
        id=row[0],
        workspace_id=row[1],
        name=row[2],
        parent=row[3],
        layer_id=row[4],
        created_at=from_ms(row[5]),
    )
