"""The layers of the workspaces' disks: a file is kept exactly as long as a workspace or a snapshot stands on it.

References are computed, never counted by hand: a layer is wanted when it is the top of a workspace, the layer of a snapshot,
or below one that is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.errors import Conflict
from pyro_mcp.workspaces.registry import resources
from pyro_mcp.workspaces.registry.database import Change, Reading, Row
from pyro_mcp.workspaces.registry.makers import Maker, this_process
from pyro_mcp.workspaces.registry.names import new_id
from pyro_mcp.workspaces.registry.times import now_ms


@dataclass(frozen=True, kw_only=True)
class PlannedLayer:
    """A layer whose file is about to be made at `path`."""

    id: str
    path: Path
    size_mib: int
    resource: int


@dataclass(frozen=True, kw_only=True)
class LayerRecord:
    """One qcow2 file. A frozen one is never written again, so that others may lie on it."""

    id: str
    path: Path
    parent_id: str | None
    size_mib: int
    frozen: bool


@dataclass(frozen=True)
class DoomedLayer:
    """A layer's file that nothing needs: remove it after the commit, then forget the resource."""

    path: Path
    resource: int


def plan(change: Change, directory: Path, *, size_mib: int, owner: str, maker: Maker) -> PlannedLayer:
    """Record the file of a new layer; commit, make the file (and fsync it), then put_on_top(), take() or the like."""
    layer_id = new_id("ly")
    path = directory / f"{layer_id}.qcow2"
    resource = resources.plan(change, "layer", scope="maker", owner=owner, maker=maker, path=path)
    return PlannedLayer(id=layer_id, path=path, size_mib=size_mib, resource=resource)


def put_on_top(change: Change, workspace_id: str, layer: PlannedLayer, *, on: str | None) -> None:
    """Make a planned layer, whose file is there now, the top of a workspace's disk, upon layer `on` (None: blank disk)."""
    add(change, layer, parent_id=on)
    change.run("UPDATE workspaces SET top_layer_id = ? WHERE id = ?", (layer.id, workspace_id))


def add(change: Change, layer: PlannedLayer, *, parent_id: str | None) -> None:
    """Record a layer whose file is there now. Raises Conflict when what lies below can still be written."""
    if parent_id is not None and not get(change, parent_id).frozen:
        raise Conflict(
            f"layer {parent_id} is still written to", hint="Freeze it before something lies on it."
        )
    change.run(
        "INSERT INTO layers (id, path, parent_id, size_mib, created_at) VALUES (?, ?, ?, ?, ?)",
        (layer.id, str(layer.path), parent_id, layer.size_mib, now_ms()),
    )
    resources.forget(change, [layer.resource])


def freeze(change: Change, layer_id: str) -> None:
    """Record that a layer is never written again."""
    change.run("UPDATE layers SET frozen = 1 WHERE id = ?", (layer_id,))


def get(reading: Reading, layer_id: str) -> LayerRecord:
    """Give the layer with this id; every id in the registry has one."""
    row = reading.row(f"{_SELECT} WHERE id = ?", (layer_id,))
    assert row is not None, f"no layer {layer_id}"
    return _record(row)


def chain(reading: Reading, layer_id: str) -> tuple[LayerRecord, ...]:
    """Give a layer and all below it, the lowest first: the order in which they are opened."""
    rows = reading.rows(
        "WITH RECURSIVE below (id, depth) AS (SELECT ?, 0 UNION ALL "
        "SELECT l.parent_id, b.depth + 1 FROM layers l JOIN below b ON l.id = b.id WHERE l.parent_id IS NOT NULL) "
        "SELECT l.id, l.path, l.parent_id, l.size_mib, l.frozen FROM layers l JOIN below b ON l.id = b.id "
        "ORDER BY b.depth DESC",
        (layer_id,),
    )
    return tuple(map(_record, rows))


def references(reading: Reading) -> dict[str, int]:
    """Count for every layer the workspaces, snapshots and layers that stand directly on it."""
    rows = reading.rows(
        "SELECT l.id, (SELECT count(*) FROM layers c WHERE c.parent_id = l.id) "
        "+ (SELECT count(*) FROM snapshots s WHERE s.layer_id = l.id) "
        "+ (SELECT count(*) FROM workspaces w WHERE w.top_layer_id = l.id) FROM layers l"
    )
    return dict(rows)


def free_unreferenced(change: Change) -> tuple[DoomedLayer, ...]:
    """Take every layer that nothing stands on off the record, and give the files to remove after the commit.

    They stay recorded as doomed resources: when we die before removing them, the next command does it.
    """
    unwanted = [_record(row) for row in change.rows(_UNWANTED)]
    for layer in unwanted:  # first loose, then gone: one of them may lie on another
        change.run("UPDATE layers SET parent_id = NULL WHERE id = ?", (layer.id,))
    doomed = []
    for layer in unwanted:
        change.run("DELETE FROM layers WHERE id = ?", (layer.id,))
        doomed.append(DoomedLayer(layer.path, _doomed(change, layer.path)))
    return tuple(doomed)


def strays(reading: Reading, files: Iterable[Path]) -> tuple[Path, ...]:
    """Tell which of these files no record knows: what a lost database, or a person, left behind."""
    known = {
        row[0]
        for row in reading.rows(
            "SELECT path FROM layers UNION SELECT path FROM resources WHERE path IS NOT NULL"
        )
    }
    return tuple(path for path in files if str(path) not in known)


def _doomed(change: Change, path: Path) -> int:
    resource = resources.plan(change, "layer", scope="maker", owner="freed", maker=this_process(), path=path)
    resources.doom(change, resource)
    return resource


_SELECT = "SELECT id, path, parent_id, size_mib, frozen FROM layers"

_UNWANTED = """
WITH RECURSIVE wanted (id) AS (
    SELECT top_layer_id FROM workspaces WHERE top_layer_id IS NOT NULL
    UNION SELECT layer_id FROM snapshots
    UNION SELECT l.parent_id FROM layers l JOIN wanted w ON l.id = w.id WHERE l.parent_id IS NOT NULL
)
SELECT id, path, parent_id, size_mib, frozen FROM layers WHERE id NOT IN (SELECT id FROM wanted)
"""


def _record(row: Row) -> LayerRecord:
    return LayerRecord(id=row[0], path=Path(row[1]), parent_id=row[2], size_mib=row[3], frozen=bool(row[4]))
