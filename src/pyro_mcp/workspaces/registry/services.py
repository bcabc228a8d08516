"""The services that were started in a workspace, by name, and the ports of this host that lead to them.

A row tells what was started last under a name, not that it runs: that, its keeper knows. A port is a resource of its
workspace's machine (resources.py) as long as there is one, and stays in the table here so that the next machine has it again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyro_mcp.errors import Conflict, LimitReached
from pyro_mcp.models.service import PortMapping
from pyro_mcp.workspaces.registry import resources
from pyro_mcp.workspaces.registry.database import Change, Reading, Row
from pyro_mcp.workspaces.registry.makers import Maker
from pyro_mcp.workspaces.registry.times import from_ms, now_ms

# Each keeps up to 96 MiB of log until its workspace is deleted.
MOST_SERVICES = 64


@dataclass(frozen=True, kw_only=True)
class ServiceRecord:
    """What was started last under a name; `run_id` names that start, its directory too."""

    workspace_id: str
    name: str
    run_id: str
    command: str | tuple[str, ...]
    cwd: str
    started_at: datetime


def put(
    change: Change, workspace_id: str, name: str, run_id: str, command: str | Sequence[str], cwd: str
) -> None:
    """Record a start under a name, in the place of an earlier one. Raises LimitReached for too many names."""
    names = {record.name for record in listed(change, workspace_id)}
    if name not in names and len(names) >= MOST_SERVICES:
        raise LimitReached(
            f"the workspace has had {MOST_SERVICES} services", hint="Use the name of one that has ended."
        )
    change.run(
        "INSERT OR REPLACE INTO services (workspace_id, name, run_id, command, cwd, started_at) VALUES (?, ?, ?, ?, ?, ?)",
        (workspace_id, name, run_id, json.dumps(command), cwd, now_ms()),
    )


def find(reading: Reading, workspace_id: str, name: str) -> ServiceRecord | None:
    """Find a service by its name."""
    row = reading.row(f"{_SELECT} WHERE workspace_id = ? AND name = ?", (workspace_id, name))
    return None if row is None else _record(row)


def listed(reading: Reading, workspace_id: str) -> tuple[ServiceRecord, ...]:
    """List the services of a workspace by name."""
    rows = reading.rows(f"{_SELECT} WHERE workspace_id = ? ORDER BY name", (workspace_id,))
    return tuple(map(_record, rows))


def ports_of(reading: Reading, workspace_id: str) -> dict[str, list[PortMapping]]:
    """Give the published ports of a workspace by service."""
    found: dict[str, list[PortMapping]] = {}
    for service, *facts in reading.rows(
        "SELECT service, address, host_port, guest_port FROM ports WHERE workspace_id = ? ORDER BY host_port",
        (workspace_id,),
    ):
        found.setdefault(service, []).append(PortMapping(*facts))
    return found


def withdraw(change: Change, workspace_id: str, service: str) -> None:
    """Record that a service's ports are no more; call it once their listeners are closed."""
    for port in ports_of(change, workspace_id).get(service, ()):
        change.run(
            "DELETE FROM resources WHERE kind = 'port' AND owner = ? AND number = ?",
            (workspace_id, port.host_port),
        )
    change.run("DELETE FROM ports WHERE workspace_id = ? AND service = ?", (workspace_id, service))


def publish(change: Change, workspace_id: str, service: str, port: PortMapping, maker: Maker) -> None:
    """Record a port before its listener is made. Raises Conflict when another workspace of ours has it."""
    if not _claim(change, workspace_id, port.host_port, maker):
        raise Conflict(
            f"port {port.host_port} is published already by {_holder(change, port.host_port)}",
            hint="Publish another host port; 0 lets pyro choose.",
        )
    change.run(
        "INSERT INTO ports (workspace_id, service, address, host_port, guest_port) VALUES (?, ?, ?, ?, ?)",
        (workspace_id, service, port.address, port.host_port, port.guest_port),
    )


def publish_again(change: Change, workspace_id: str, maker: Maker) -> list[tuple[str, PortMapping]]:
    """Record the ports of a workspace whose next machine is about to start; gives those that nobody has taken meanwhile."""
    change.run(
        "DELETE FROM resources WHERE kind = 'port' AND owner = ?", (workspace_id,)
    )  # of the machine before
    return [
        (service, port)
        for service, ports in ports_of(change, workspace_id).items()
        for port in ports
        if _claim(change, workspace_id, port.host_port, maker)
    ]


def is_published(reading: Reading, host_port: int) -> bool:
    """Tell whether a machine of ours has this port."""
    return _holder_id(reading, host_port) is not None


def _claim(change: Change, workspace_id: str, host_port: int, maker: Maker) -> bool:
    try:
        resource = resources.plan(
            change, "port", scope="machine", owner=workspace_id, maker=maker, number=host_port
        )
    except sqlite3.IntegrityError:
        return False
    # Its maker may die before its listener is there, or after: either way it lasts as long as the machine.
    resources.made(change, resource)
    return True


def _holder_id(reading: Reading, host_port: int) -> str | None:
    row = reading.row("SELECT owner FROM resources WHERE kind = 'port' AND number = ?", (host_port,))
    return None if row is None else str(row[0])


def _holder(reading: Reading, host_port: int) -> str:
    owner = _holder_id(reading, host_port)
    row = reading.row("SELECT name FROM workspaces WHERE id = ?", (owner,))
    return f"the workspace {row[0] or owner}" if row else "another workspace"


_SELECT = "SELECT workspace_id, name, run_id, command, cwd, started_at FROM services"


def _record(row: Row) -> ServiceRecord:
    command = json.loads(row[3])
    return ServiceRecord(
        workspace_id=row[0],
        name=row[1],
        run_id=row[2],
        command=command if isinstance(command, str) else tuple(command),
        cwd=row[4],
        started_at=from_ms(row[5]),
    )
