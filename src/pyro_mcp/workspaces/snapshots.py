"""Name states of a workspace's disk, and let new workspaces grow from them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from pyro_mcp.errors import InvalidRequest, PyroError
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.room import stored_bytes
from pyro_mcp.models.workspace import ForkOutcome, SnapshotInfo
from pyro_mcp.workspaces.info import info_of
from pyro_mcp.workspaces.registry import layers, secrets, snapshots, workspaces
from pyro_mcp.workspaces.registry.database import Reading
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.names import new_id
from pyro_mcp.workspaces.registry.snapshots import SnapshotRecord
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace, WorkspaceRecord
from pyro_mcp.workspaces.session import Sessions

_SNAPSHOT_SECONDS = 60.0
# Starting a machine keeps a core busy for half a second: more at once only wait for each other.
_STARTS_AT_ONCE = 2
MOST_FORKS = 32


def create_snapshot(sessions: Sessions, reference: str, name: str) -> SnapshotInfo:
    """Name what a workspace's disk holds now; a running machine goes on working."""
    sessions.tidy()
    began = time.monotonic()
    record = sessions.record(reference)
    with sessions.registry.reading() as reading:
        snapshots.check_new(reading, record.id, name)
    with sessions.machines.lock(record.id):
        frozen = freeze(sessions, record)
        with sessions.registry.changing() as change:
            snapshots.name_layer(change, record.id, name, frozen)
    sessions.history.log(record.id, "snapshot.create", began, {"snapshot": name})
    with sessions.registry.reading() as reading:
        return _shown(reading, snapshots.get(reading, record.id, name))


def list_snapshots(sessions: Sessions, reference: str) -> list[SnapshotInfo]:
    """Tell a workspace's snapshots in the order they were taken; starts nothing."""
    sessions.tidy()
    with sessions.registry.reading() as reading:
        record = workspaces.get(reading, reference)
        return [_shown(reading, found) for found in snapshots.listed(reading, record.id)]


def delete_snapshot(sessions: Sessions, reference: str, name: str) -> SnapshotInfo:
    """Forget a snapshot; what nothing else stands on is removed."""
    sessions.tidy()
    began = time.monotonic()
    record = sessions.record(reference)
    with sessions.registry.changing() as change:
        gone = _shown(change, snapshots.get(change, record.id, name))
        snapshots.delete(change, record.id, name)
    sessions.grounds.free_layers()
    sessions.history.log(record.id, "snapshot.delete", began, {"snapshot": name})
    return gone


def fork_workspace(
    sessions: Sessions,
    reference: str,
    *,
    count: int | None,
    names: Sequence[str],
    from_snapshot: str | None,
    with_secrets: bool = False,
) -> list[ForkOutcome]:
    """Make new workspaces that start from a snapshot or from now; each has an outcome of its own.

    Without a count there is one for each name, and one where there are no names.
    """
    count = max(len(names), 1) if count is None else count
    if not 1 <= count <= MOST_FORKS or len(names) > count:
        raise InvalidRequest(
            f"{count} forks with {len(names)} names cannot be made",
            hint=f"Ask for 1 to {MOST_FORKS} forks, and for at most as many names.",
        )
    sessions.tidy()
    began = time.monotonic()
    record = sessions.record(reference)
    ground = _ground(sessions, record, from_snapshot)
    wanted = [*names, *[None] * (count - len(names))]
    values = sessions.secrets.values(record.id) if with_secrets else {}

    def fork(name: str | None) -> ForkOutcome:
        return _fork(sessions, record, name, from_snapshot, ground, values)

    with ThreadPoolExecutor(_STARTS_AT_ONCE) as threads:
        forks = list(threads.map(fork, wanted))
    made = [fork.workspace.workspace_id for fork in forks if fork.workspace]
    sessions.history.log(record.id, "fork", began, {"from": from_snapshot, "forks": made})
    return forks


def _ground(sessions: Sessions, record: WorkspaceRecord, from_snapshot: str | None) -> str:
    """The frozen layer that forks grow from; forking from now freezes what is written so far."""
    if from_snapshot is not None:
        with sessions.registry.reading() as reading:
            return snapshots.get(reading, record.id, from_snapshot).layer_id
    with sessions.machines.lock(record.id):
        return freeze(sessions, record)


def freeze(sessions: Sessions, record: WorkspaceRecord) -> str:
    """Let a workspace write to a new layer from now on, and give the one it wrote so far.

    Recorded first, then done: a crash in between leaves the machine writing to a layer that nobody else stands on yet.
    """
    overlay = sessions.grounds.new_layer(record)
    with sessions.registry.changing() as change:
        frozen = snapshots.stack(change, record.id, overlay)
    socket = sessions.machines.socket(record.id)
    if socket is not None:
        with Channel(socket) as channel:
            channel.ask({"verb": "keeper.snapshot", "layer": str(overlay.path)}, timeout=_SNAPSHOT_SECONDS)
    return frozen


def _fork(
    sessions: Sessions,
    source: WorkspaceRecord,
    name: str | None,
    at: str | None,
    layer_id: str,
    values: Mapping[str, bytes],
) -> ForkOutcome:
    try:
        fork = _fork_record(sessions, source, name, values)
    except PyroError as error:
        return _not_forked(error)
    began = time.monotonic()
    try:
        with sessions.machines.lock(fork.id):
            sessions.secrets.put(fork.id, values)
            sessions.directories.copy_pushed(source.id, fork.id)
            overlay = sessions.grounds.new_layer(fork)
            with sessions.registry.changing() as change:
                snapshots.branch(change, source.id, fork.id, overlay, at=at, layer_id=layer_id)
            sessions.starter.start(sessions.record(fork.id))
    except PyroError as error:
        sessions.remove(fork)
        return _not_forked(error)
    sessions.history.log(fork.id, "create", began, {"forked_from": source.name or source.id})
    with sessions.registry.reading() as reading:
        return ForkOutcome(workspace=info_of(reading, workspaces.get(reading, fork.id)))


def _not_forked(error: PyroError) -> ForkOutcome:
    said = "\n".join(filter(None, (error.brief, error.details)))
    return ForkOutcome(workspace=None, error=said, code=error.code, hint=error.hint)


def _fork_record(
    sessions: Sessions, source: WorkspaceRecord, name: str | None, values: Mapping[str, bytes]
) -> WorkspaceRecord:
    new = NewWorkspace(
        id=new_id("ws"),
        environment=source.environment,
        environment_digest=source.environment_digest,
        name=name,
        labels=source.labels,
        vcpu_count=source.vcpu_count,
        mem_mib=source.mem_mib,
        disk_mib=source.disk_mib,
        idle_stop_seconds=source.idle_stop_seconds,
        ttl_seconds=source.ttl_seconds,
        network=source.network,
    )
    with sessions.registry.changing() as change:
        record = workspaces.add(change, new, this_process())
        sessions.directories.record(change, record.id)
        secrets.add(change, record.id, values)
        if source.seed_report is not None:
            workspaces.set_seed(change, record.id, source.seed_digest, source.seed_report)
    return record


def _shown(reading: Reading, record: SnapshotRecord) -> SnapshotInfo:
    size = stored_bytes(layers.get(reading, record.layer_id).path)
    return SnapshotInfo(name=record.name, parent=record.parent, created_at=record.created_at, size_bytes=size)
