"""Start and stop services of a workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace

from pyro_mcp.errors import Conflict, GuestFailed, HostUnfit, InvalidRequest, LimitReached, PyroError
from pyro_mcp.host.interruption import Interruption
from pyro_mcp.host.locks import exclusive
from pyro_mcp.host.paths import private_directory
from pyro_mcp.models.service import (
    CommandReady,
    FileReady,
    HttpReady,
    PortMapping,
    Readiness,
    ServiceInfo,
    TcpReady,
)
from pyro_mcp.workspaces.machines.command import Wishes
from pyro_mcp.workspaces.registry import services
from pyro_mcp.workspaces.registry.names import new_id
from pyro_mcp.workspaces.secrets.variables import secret_variables
from pyro_mcp.workspaces.services.publishing import record_ports, require_publishing
from pyro_mcp.workspaces.services.state import (
    ask_keeper,
    directory_of,
    find_service,
    service_status,
    services_directory,
)
from pyro_mcp.workspaces.session import Session, Sessions
from pyro_wire.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRequest:
    """A service for a workspace."""

    service: str
    command: str | tuple[str, ...]
    cwd: str = "/workspace"
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: Mapping[str, str] = field(default_factory=dict)
    readiness: Readiness | None = None
    ready_timeout_seconds: float = 30
    ready_interval_ms: int = 500
    ports: tuple[PortMapping, ...] = ()


def start_service(
    sessions: Sessions, reference: str, request: ServiceRequest, interruption: Interruption | None = None
) -> ServiceInfo:
    """Start a service and wait until it is ready; raises, with its last lines, when it is not to be.

    One that was not ready in time is ended. Recorded first, then started: a crash in between leaves a service that says so.
    """
    name = request.service
    if request.ports:
        require_publishing(sessions.record(reference))
    with sessions.using(reference, "service.start", service=name, command=_shown(request.command)) as session:
        with interruption.heeded() if interruption else nullcontext():
            answer = _start(sessions, session, request, interruption)
        started = service_status(sessions, session.record.id, name)
        session.note(
            state=str(answer.get("state")), ports=[port.host_port for port in started.published_ports]
        )
        if answer.get("state") == "failed":
            _withdraw(sessions, session.record.id, name)
            raise _failure(name, answer)
        if answer.get("state") == "stopped":
            raise Conflict(
                f"the service {name} was ended before it was ready: {answer.get('reason')}",
                hint="Start it again if that is still wanted.",
            )
        return replace(started, resumed=session.resumed is not None, resumed_reason=session.resumed)


def stop_service(sessions: Sessions, reference: str, name: str) -> ServiceInfo:
    """End a service (TERM, then KILL) and close its ports; starts nothing. One that has ended stays as it is."""
    sessions.tidy()
    record = sessions.record(reference)
    find_service(sessions, record.id, name)
    if sessions.machines.socket(record.id) is None:
        _withdraw(sessions, record.id, name)
        return service_status(sessions, record.id, name)
    with sessions.using(reference, "service.stop", service=name) as session:
        session.ask({"verb": "keeper.service.stop", "service": name, "reason": "somebody stopped it"})
        _withdraw(sessions, record.id, name)
        return service_status(sessions, record.id, name)


def _withdraw(sessions: Sessions, workspace_id: str, name: str) -> None:
    with sessions.registry.changing() as change:
        services.withdraw(change, workspace_id, name)


def _start(
    sessions: Sessions, session: Session, request: ServiceRequest, interruption: Interruption | None
) -> Message:
    """Ask for it under a lock that lasts until the keeper has taken it on: two starts of one name never mix."""
    workspace_id = session.record.id
    directory = private_directory(services_directory(sessions, workspace_id))
    run_id = new_id("run")
    with ExitStack() as held:
        held.enter_context(exclusive(directory / "lock", what="another start of a service here"))
        ports = _recorded(sessions, session, request, run_id)
        try:
            return session.ask(
                _message(sessions, session, request, run_id, ports),
                on_control=lambda _: held.close(),
                controls=Wishes(interruption) if interruption else None,
            )
        except (Conflict, HostUnfit, InvalidRequest):  # refused: its ports are not open
            _withdraw(sessions, workspace_id, request.service)
            raise


def _recorded(
    sessions: Sessions, session: Session, request: ServiceRequest, run_id: str
) -> list[PortMapping]:
    """Take the name for this start, unless its service runs; the files of the start before go."""
    workspace_id = session.record.id
    live = ask_keeper(sessions, workspace_id)
    redact = session.redactor.text
    shown = request.command
    command = redact(shown) if isinstance(shown, str) else [redact(word) for word in shown]
    with sessions.registry.changing() as change:
        before = services.find(change, workspace_id, request.service)
        if before is not None and before.run_id in live.running:
            raise Conflict(
                f"the service {request.service} runs already", hint="Stop it first, or use another name."
            )
        services.put(change, workspace_id, request.service, run_id, command, redact(request.cwd))
        open_now = live.ports_open_for(request.service)
        ports = record_ports(change, workspace_id, request.service, request.ports, open_now)
    if before is not None:
        shutil.rmtree(directory_of(sessions, before), ignore_errors=True)
    return ports


def _message(
    sessions: Sessions, session: Session, request: ServiceRequest, run_id: str, ports: list[PortMapping]
) -> Message:
    directory = services_directory(sessions, session.record.id) / run_id
    return {
        "verb": "keeper.service.start",
        "service": request.service,
        "run_id": run_id,
        "directory": str(directory),
        "request": _for_agent(sessions, session, request, request.command),
        "readiness": _readiness(sessions, session, request),
        "ready_timeout_ms": round(request.ready_timeout_seconds * 1000),
        "ready_interval_ms": request.ready_interval_ms,
        "ports": [
            {"address": port.address, "host_port": port.host_port, "guest_port": port.guest_port}
            for port in ports
        ],
    }


def _for_agent(
    sessions: Sessions, session: Session, request: ServiceRequest, command: str | tuple[str, ...]
) -> Message:
    defaults = sessions.grounds.environment_of(session.record).defaults
    return {
        "argv": ["sh", "-c", command] if isinstance(command, str) else list(command),
        "env": {
            **defaults.env,
            **request.env,
            **secret_variables(sessions, session.record, request.secret_env),
        },
        "cwd": os.path.join("/workspace", request.cwd),  # noqa: PTH118 - a path in the guest
    }


def _readiness(sessions: Sessions, session: Session, request: ServiceRequest) -> Message | None:
    match request.readiness:
        case FileReady(path):
            return {"kind": "file", "path": path}
        case TcpReady(port):
            return {"kind": "tcp", "port": port}
        case HttpReady() as http:
            port, target, host = http.parts()
            return {"kind": "http", "port": port, "target": target, "host": host}
        case CommandReady(command):
            return {"kind": "command", "request": _for_agent(sessions, session, request, command)}
    return None


def _failure(name: str, answer: Message) -> PyroError:
    """Say why a service did not become ready, with the last it wrote."""
    brief = f"the service {name} did not become ready: {answer.get('reason')}"
    tail = str(answer.get("tail") or "").rstrip()
    details = f"its last lines:\n{tail}" if tail else "it wrote nothing"
    if answer.get("late") is True:
        return LimitReached(
            brief,
            details=details,
            hint="Give it a larger <<ready_timeout_seconds>>, or look for another sign.",
        )
    return GuestFailed(
        brief, details=details, hint="Mend the cause and start it again; <<service_logs>> has all it wrote."
    )


def _shown(command: str | tuple[str, ...]) -> str | list[str]:
    return command if isinstance(command, str) else list(command)
