"""From the making of a workspace to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.encoding import as_object
from pyro_mcp.models.network import NO_NETWORK, NetworkSettings
from pyro_mcp.models.workspace import DeletedWorkspace, WorkspaceInfo, WorkspaceState, WorkspaceStatus
from pyro_mcp.workspaces.info import info_of, status_of
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.registry import layers, secrets, snapshots, workspaces
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.names import new_id
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace, WorkspaceRecord
from pyro_mcp.workspaces.session import Sessions
from pyro_mcp.workspaces.storage.sharing import leave_mark

if TYPE_CHECKING:
    from pyro_mcp.environments.values import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRequest:
    """What a workspace is to be made with."""

    environment: str = "debian:12"
    seed_path: str | None = None
    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    vcpu_count: int = 1
    mem_mib: int = 1024
    disk_mib: int = 16384
    idle_stop_seconds: int | None = 1800
    ttl_seconds: int | None = None
    include_ignored: bool = False
    include_sensitive: bool = False
    network: NetworkSettings = NO_NETWORK
    promises: Promises = field(default_factory=Promises)
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def create_workspace(sessions: Sessions, request: CreateRequest) -> WorkspaceStatus:
    """Make a workspace from an environment and a seed and start it; nothing of it is left when that fails."""
    sessions.tidy()
    began = time.monotonic()
    leave_mark(sessions.paths)
    environment = sessions.environments.ensure(request.environment)
    record = _record(sessions, request, environment)
    try:
        with sessions.machines.lock(record.id), sessions.starter.ahead(record.id) as keeper:
            sessions.secrets.put(record.id, request.secrets)
            _seed(sessions, record, request)
            _lay_disk(sessions, record, environment, request.promises)
            sessions.starter.go_on(sessions.record(record.id), keeper, untouched=True)
    except BaseException:
        sessions.remove(record)
        raise
    told = {"environment": request.environment, "seed": request.seed_path, "secrets": [*request.secrets]}
    sessions.history.log(
        record.id, "create", began, {name: value for name, value in told.items() if value != []}
    )
    return status_of(sessions, record.id)


def list_workspaces(
    sessions: Sessions,
    *,
    labels: Mapping[str, str],
    state: WorkspaceState | None,
    environment: str | None,
    limit: int,
) -> list[WorkspaceInfo]:
    """Find workspaces, newest activity first; starts none."""
    sessions.tidy()
    with sessions.registry.reading() as reading:
        found = workspaces.select(reading, labels=labels, state=state, environment=environment, limit=limit)
        return [info_of(reading, record) for record in found]


def workspace_status(sessions: Sessions, reference: str) -> WorkspaceStatus:
    """Tell one workspace in full; does not start it."""
    sessions.tidy()
    return status_of(sessions, sessions.record(reference).id)


def stop_workspace(sessions: Sessions, reference: str) -> WorkspaceStatus:
    """Stop the machine of a workspace; its disk stays."""
    sessions.tidy()
    began = time.monotonic()
    record = sessions.record(reference)
    with sessions.machines.lock(record.id):
        ran = sessions.machines.stop(record, "somebody stopped it")
    sessions.history.log(record.id, "stop", began, {"ran": ran})
    return status_of(sessions, record.id)


def start_workspace(sessions: Sessions, reference: str) -> WorkspaceStatus:
    """Start the machine of a workspace if it does not run."""
    with sessions.using(reference, "start") as session:
        pass
    return status_of(sessions, session.record.id, session.resumed)


def reset_workspace(sessions: Sessions, reference: str, snapshot: str) -> WorkspaceStatus:
    """Go back to a snapshot: what was done since is gone; id, name, labels, history and outputs stay."""
    sessions.tidy()
    began = time.monotonic()
    record = sessions.record(reference)
    with sessions.registry.reading() as reading:
        snapshots.get(reading, record.id, snapshot)
    with sessions.machines.lock(record.id), sessions.starter.ahead(record.id) as keeper:
        sessions.machines.stop(record, "it was reset", discard=True)
        overlay = sessions.grounds.new_layer(record)
        with sessions.registry.changing() as change:
            snapshots.reset(change, record.id, snapshot, overlay)
        sessions.grounds.free_layers()
        untouched = snapshot == snapshots.BASELINE
        sessions.starter.go_on(sessions.record(record.id), keeper, untouched=untouched)
    sessions.history.log(record.id, "reset", began, {"snapshot": snapshot})
    return status_of(sessions, record.id)


def delete_workspace(sessions: Sessions, reference: str) -> DeletedWorkspace:
    """Delete a workspace with its disk, snapshots, history and outputs."""
    sessions.tidy()
    record = sessions.record(reference)
    before = status_of(sessions, record.id)
    with sessions.machines.lock(record.id):
        with sessions.registry.changing() as change:
            workspaces.set_state(change, record.id, "deleting", maker=this_process())
        sessions.machines.stop(record, "it is deleted", discard=True)
        sessions.remove(record)
    return DeletedWorkspace(
        workspace_id=record.id, name=record.name, freed_bytes=before.stored_bytes + before.output_bytes
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateRequest:
    """What is to change; None leaves a thing as it is, 0 stops a clock."""

    name: str | None = None
    clear_name: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    clear_labels: tuple[str, ...] = ()
    idle_stop_seconds: int | None = None
    ttl_seconds: int | None = None


def update_workspace(sessions: Sessions, reference: str, request: UpdateRequest) -> WorkspaceStatus:
    """Rename, relabel or re-clock a workspace; its machine goes on."""
    sessions.tidy()
    began = time.monotonic()
    record = sessions.record(reference)
    if request.name is not None and request.clear_name:
        raise InvalidRequest(
            "a name cannot be given and taken away at once", hint="Give <<name>> or <<clear_name>>, not both."
        )
    with sessions.registry.changing() as change:
        if request.name is not None or request.clear_name:
            workspaces.rename(change, record.id, None if request.clear_name else request.name)
        workspaces.relabel(change, record.id, {**request.labels, **dict.fromkeys(request.clear_labels)})
        if request.idle_stop_seconds is not None or request.ttl_seconds is not None:
            workspaces.set_clocks(
                change,
                record.id,
                idle_stop_seconds=_clock(request.idle_stop_seconds, record.idle_stop_seconds),
                ttl_seconds=_clock(request.ttl_seconds, record.ttl_seconds),
            )
        workspaces.touch(change, record.id)
    if request.idle_stop_seconds is not None:
        sessions.machines.tell(record.id, {"verb": "keeper.idle", "seconds": request.idle_stop_seconds})
    sessions.history.log(
        record.id, "update", began, {"changed": [name for name, value in as_object(request).items() if value]}
    )
    return status_of(sessions, record.id)


def _clock(asked: int | None, before: int | None) -> int | None:
    return before if asked is None else asked or None


# -- the parts of a making ------------------------------------------------------------------------------------------------


def _record(sessions: Sessions, request: CreateRequest, environment: Environment) -> WorkspaceRecord:
    new = NewWorkspace(
        id=new_id("ws"),
        environment=environment.name,
        environment_digest=environment.digest,
        name=request.name,
        labels=request.labels,
        vcpu_count=request.vcpu_count,
        mem_mib=request.mem_mib,
        disk_mib=request.disk_mib,
        idle_stop_seconds=request.idle_stop_seconds,
        ttl_seconds=request.ttl_seconds,
        network=request.network,
    )
    with sessions.registry.changing() as change:
        record = workspaces.add(change, new, this_process())
        sessions.directories.record(change, record.id)
        secrets.add(change, record.id, request.secrets)
    return record


def _seed(sessions: Sessions, record: WorkspaceRecord, request: CreateRequest) -> None:
    from pyro_mcp.workspaces.seeding.select import SeedOptions  # whoever lists workspaces seeds none

    options = SeedOptions(
        include_ignored=request.include_ignored, include_sensitive=request.include_sensitive
    )
    seed = sessions.seeds.ensure(Path(request.seed_path) if request.seed_path else None, options)
    with sessions.registry.changing() as change:
        workspaces.set_seed(change, record.id, seed.digest, json.dumps(as_object(seed.report)))


def _lay_disk(
    sessions: Sessions, record: WorkspaceRecord, environment: Environment, promises: Promises
) -> None:
    """The base of a new disk is its baseline: what the workspace writes goes into a layer above it."""
    base = sessions.grounds.base_layer(record, environment, promises)
    overlay = sessions.grounds.new_layer(record)
    with sessions.registry.changing() as change:
        layers.put_on_top(change, record.id, base, on=None)
        snapshots.take(change, record.id, snapshots.BASELINE, overlay)
