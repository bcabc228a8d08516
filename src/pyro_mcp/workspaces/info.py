"""What is known of a workspace, put together for callers. Starts nothing."""

from __future__ import annotations

import json
from typing import cast

from pyro_mcp.host.room import stored_bytes
from pyro_mcp.models.run import Confinement, Isolation
from pyro_mcp.models.seed import SeedReport
from pyro_mcp.models.workspace import WorkspaceInfo, WorkspaceStatus
from pyro_mcp.workspaces.registry import layers, machines, secrets, workspaces
from pyro_mcp.workspaces.registry.database import Reading
from pyro_mcp.workspaces.registry.seed_report import report_from
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord
from pyro_mcp.workspaces.session import Sessions
from pyro_wire.messages import Message

_ASK_SECONDS = 5.0


def info_of(reading: Reading, record: WorkspaceRecord) -> WorkspaceInfo:
    """Give a workspace in short."""
    isolation, confinement = _walls(reading, record)
    return WorkspaceInfo(
        workspace_id=record.id,
        name=record.name,
        labels=dict(record.labels),
        state=record.state,
        environment=record.environment,
        isolation=isolation,
        confinement=confinement,
        created_at=record.created_at,
        last_activity_at=record.last_activity_at,
    )


def status_of(sessions: Sessions, workspace_id: str, resumed: str | None = None) -> WorkspaceStatus:
    """Give a workspace in full."""
    with sessions.registry.reading() as reading:
        record = workspaces.get(reading, workspace_id)
        names = secrets.names(reading, record.id)
        chain = layers.chain(reading, record.top_layer) if record.top_layer else ()
        isolation, confinement = _walls(reading, record)
    told = sessions.machines.tell(record.id, {"verb": "keeper.status"}, timeout=_ASK_SECONDS)
    return WorkspaceStatus(
        workspace_id=record.id,
        name=record.name,
        labels=dict(record.labels),
        state=record.state,
        state_reason=record.state_reason,
        environment=record.environment,
        isolation=isolation,
        confinement=confinement,
        created_at=record.created_at,
        last_activity_at=record.last_activity_at,
        vcpu_count=record.vcpu_count,
        mem_mib=record.mem_mib,
        disk_mib=record.disk_mib,
        idle_stop_seconds=record.idle_stop_seconds,
        ttl_seconds=record.ttl_seconds,
        network_policy=record.network.policy,
        allow_hosts=record.network.allow_hosts,
        seed=_seed_report(record.seed_report),
        stored_bytes=sum(stored_bytes(layer.path) for layer in chain),
        output_bytes=sessions.directories.outputs(record.id).total_size() + _log_bytes(sessions, record.id),
        running=_names(told, "running"),
        services=_names(told, "services"),
        shells=_names(told, "shells"),
        resumed=resumed is not None,
        resumed_reason=resumed,
        secrets=names,
    )


def _walls(reading: Reading, record: WorkspaceRecord) -> tuple[Isolation | None, Confinement | None]:
    machine = machines.of_workspace(reading, record.id)
    if machine is None or record.state != "running":
        return None, None
    return cast(Isolation | None, machine.isolation), cast(Confinement | None, machine.confinement)


def _log_bytes(sessions: Sessions, workspace_id: str) -> int:
    """What its services wrote and is still kept."""
    return sum(map(stored_bytes, (sessions.directories.of(workspace_id) / "services").glob("*/log-*")))


def _names(told: Message | None, kind: str) -> tuple[str, ...]:
    """What of a kind runs, as the keeper tells; a machine that is just ending runs nothing."""
    names = told.get(kind) if told is not None else None
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _seed_report(kept: str | None) -> SeedReport | None:
    return None if kept is None else report_from(json.loads(kept))
