"""How services stand, told by who knows: the keeper of the machine that runs, else the files that the last one left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import cast, get_args

from pyro_mcp.errors import NotFound
from pyro_mcp.keeper.services.supervising import STATE_FILE
from pyro_mcp.models.service import PortMapping, PublishedPort, ServiceInfo, ServiceState
from pyro_mcp.workspaces.registry import services
from pyro_mcp.workspaces.registry.services import ServiceRecord
from pyro_mcp.workspaces.registry.times import from_ms
from pyro_mcp.workspaces.session import Sessions
from pyro_wire.messages import Message

_ASK_SECONDS = 5.0
_NEVER_RAN = "it was never started: whoever was at it was killed"
_VANISHED = "its machine ended without a word: it or its keeper was killed, or this host was restarted"
_RUNS = ("starting", "running")


@dataclass(frozen=True)
class Live:
    """What the keeper of a workspace's machine says, if there is one."""

    there: bool = False
    states: Mapping[str, Message] = field(default_factory=dict)
    ports: tuple[Message, ...] = ()

    @property
    def running(self) -> frozenset[str]:
        """The starts that run now."""
        return frozenset(run_id for run_id, state in self.states.items() if state.get("state") in _RUNS)

    def ports_open_for(self, service: str) -> frozenset[int]:
        """The ports of this host that are open for a service."""
        opened = (port for port in self.ports if port.get("service") == service and not port.get("closed"))
        return frozenset(cast(int, port.get("host_port")) for port in opened)


def list_services(sessions: Sessions, reference: str) -> list[ServiceInfo]:
    """Tell a workspace's services by name; starts nothing."""
    sessions.tidy()
    record = sessions.record(reference)
    live = ask_keeper(sessions, record.id)
    with sessions.registry.reading() as reading:
        found = services.listed(reading, record.id)
        ports = services.ports_of(reading, record.id)
    return [view(sessions, service, ports.get(service.name, []), live) for service in found]


def service_status(sessions: Sessions, reference: str, name: str) -> ServiceInfo:
    """Tell one service; starts nothing."""
    sessions.tidy()
    record = sessions.record(reference)
    live = ask_keeper(sessions, record.id)
    service = find_service(sessions, record.id, name)
    with sessions.registry.reading() as reading:
        ports = services.ports_of(reading, record.id).get(name, [])
    return view(sessions, service, ports, live)


def find_service(sessions: Sessions, workspace_id: str, name: str) -> ServiceRecord:
    """Give what was started last under a name; raises NotFound, with near names."""
    with sessions.registry.reading() as reading:
        found = services.find(reading, workspace_id, name)
        names = [record.name for record in services.listed(reading, workspace_id)]
    if found is None:
        near = get_close_matches(name, names)
        hint = (
            f"Did you mean {' or '.join(near)}?"
            if near
            else f"There is: {', '.join(names)}."
            if names
            else None
        )
        raise NotFound(
            f"the workspace has had no service {name!r}", hint=hint or "Start one with service start."
        )
    return found


def ask_keeper(sessions: Sessions, workspace_id: str) -> Live:
    """Ask the keeper, if there is one; a machine that is just ending runs nothing."""
    answer = sessions.machines.tell(workspace_id, {"verb": "keeper.services"}, timeout=_ASK_SECONDS) or {}
    states, ports = answer.get("services"), answer.get("ports")
    if not isinstance(states, dict) or not isinstance(ports, list):
        return Live()
    return Live(True, {str(state["run_id"]): state for state in states.values()}, tuple(ports))


def directory_of(sessions: Sessions, record: ServiceRecord) -> Path:
    """Name the directory of one start's files."""
    return services_directory(sessions, record.workspace_id) / record.run_id


def services_directory(sessions: Sessions, workspace_id: str) -> Path:
    """Name the directory of what a workspace's services leave on this host."""
    return sessions.directories.of(workspace_id) / "services"


def view(sessions: Sessions, record: ServiceRecord, ports: list[PortMapping], live: Live) -> ServiceInfo:
    """Put together what is known of a service."""
    facts = live.states.get(record.run_id) or _kept(directory_of(sessions, record))
    state = _state(facts)
    return ServiceInfo(
        service=record.name,
        state=state,
        reason=cast(str | None, facts.get("reason")),
        exit_code=cast(int | None, facts.get("exit_code")),
        signal=cast(int | None, facts.get("signal")),
        command=record.command,
        cwd=record.cwd,
        started_at=record.started_at,
        ready_at=_time(facts.get("ready_at")),
        ended_at=_time(facts.get("ended_at")),
        log_bytes=cast(int, facts.get("log_bytes", 0)),
        published_ports=tuple(_port(port, record.name, live) for port in ports if state != "failed"),
    )


def _kept(directory: Path) -> Message:
    """What its keeper left word of. One that runs there ran in a machine that is no more."""
    try:
        kept: dict[str, object] = json.loads((directory / STATE_FILE).read_bytes())
    except OSError:
        return {"state": "stopped", "reason": _NEVER_RAN}
    except ValueError:
        return {"state": "stopped", "reason": _VANISHED}
    if kept.get("state") in _RUNS:
        return {**kept, "state": "stopped", "reason": _VANISHED}
    return kept


def _state(facts: Message) -> ServiceState:
    state = facts.get("state")
    return cast(ServiceState, state if state in get_args(ServiceState) else "stopped")


def _time(value: object) -> datetime | None:
    return from_ms(value) if isinstance(value, int) else None


def _port(port: PortMapping, service: str, live: Live) -> PublishedPort:
    here = (port.address, port.host_port, port.guest_port, service)
    for told in live.ports:
        if tuple(told.get(name) for name in ("address", "host_port", "guest_port", "service")) == here:
            closed = cast(str | None, told.get("closed"))
            return PublishedPort(
                address=port.address,
                host_port=port.host_port,
                guest_port=port.guest_port,
                state="closed" if closed else "open",
                reason=closed,
            )
    reason = "another workspace has it" if live.there else "the workspace has no machine now"
    return PublishedPort(
        address=port.address,
        host_port=port.host_port,
        guest_port=port.guest_port,
        state="closed",
        reason=reason,
    )
