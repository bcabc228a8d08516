"""Which ports of this host lead into a workspace: whether they may, which are chosen, and their records."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from dataclasses import replace

from pyro_mcp.errors import HostUnfit, PolicyDenied
from pyro_mcp.models.service import PortMapping
from pyro_mcp.workspaces.registry import services
from pyro_mcp.workspaces.registry.database import Change
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord

_TRIES = 20


def publishing_allowed(record: WorkspaceRecord) -> bool:
    """Tell whether the workspace's network policy lets ports of this host lead into it."""
    return record.network.policy == "egress+published-ports"


def require_publishing(record: WorkspaceRecord) -> None:
    """Raise PolicyDenied where no port may be published."""
    if not publishing_allowed(record):
        raise PolicyDenied(
            f"the workspace's network policy, {record.network.policy}, allows no published ports",
            hint="Create a workspace with <<network_policy=egress+published-ports>>; a policy stays what it was made with.",
        )


def record_ports(
    change: Change,
    workspace_id: str,
    service: str,
    wanted: Sequence[PortMapping],
    open_now: Collection[int],
) -> list[PortMapping]:
    """Record the ports of a start in the place of those before; gives them with their host ports chosen.

    A port that pyro is to choose is the one before for the same port of the guest, so that what people wrote down stays true;
    `open_now` are those that the service has still open, until it is started.
    """
    before = services.ports_of(change, workspace_id).get(service, [])
    services.withdraw(change, workspace_id, service)
    chosen = []
    for port in wanted:
        settled = port if port.host_port else replace(port, host_port=_choose(change, port, before, open_now))
        services.publish(change, workspace_id, service, settled, this_process())
        chosen.append(settled)
    return chosen


def _choose(
    change: Change, wanted: PortMapping, before: Sequence[PortMapping], open_now: Collection[int]
) -> int:
    same = [
        old.host_port
        for old in before
        if (old.address, old.guest_port) == (wanted.address, wanted.guest_port)
    ]
    for candidate in [*same, *[0] * _TRIES]:
        free = candidate if candidate in open_now else _free_port(wanted.address, candidate)
        if free and not services.is_published(change, free):
            return free
    raise HostUnfit(f"no port of {wanted.address} is free on this host", hint="Name an address of this host.")


def _free_port(address: str, port: int) -> int | None:
    """Give the port if it is free, any free one for 0; the keeper opens it a moment later."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        try:
            trial.bind((address, port))
        except OSError:
            return None
        return int(trial.getsockname()[1])
