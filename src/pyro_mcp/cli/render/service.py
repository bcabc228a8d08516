"""Services as people read them."""

import shlex
from collections.abc import Sequence
from datetime import datetime

from pyro_mcp.cli.render.tables import facts, size, table
from pyro_mcp.models.service import PublishedPort, ServiceInfo, ServiceLogs

_LONGEST_STATE = 60


def service(found: ServiceInfo) -> str:
    """One service in full, a fact a line."""
    return facts(
        {
            "service": found.service,
            "state": _state(found),
            "command": _command(found),
            "in": found.cwd,
            "started": _time(found.started_at),
            "ready": _time(found.ready_at),
            "ended": _time(found.ended_at),
            "ports": "\n".join(_port(port) for port in found.published_ports),
            "log": f"{size(found.log_bytes)} written",
        }
    )


def services(found: Sequence[ServiceInfo]) -> str:
    """Services as a table."""
    if not found:
        return "no services"
    rows = [
        (
            item.service,
            _state(item)[:_LONGEST_STATE],
            ", ".join(_port(port) for port in item.published_ports) or "-",
            _time(item.started_at) or "-",
            _command(item)[:60],
        )
        for item in found
    ]
    return table(("SERVICE", "STATE", "PORTS", "STARTED", "COMMAND"), rows)


def logs(found: ServiceLogs) -> str:
    """The text alone: what is read here is often piped on."""
    return found.text.removesuffix("\n")


def _state(found: ServiceInfo) -> str:
    return f"{found.state} ({found.reason})" if found.reason else found.state


def _command(found: ServiceInfo) -> str:
    return found.command if isinstance(found.command, str) else shlex.join(found.command)


def _port(port: PublishedPort) -> str:
    address = f"[{port.address}]" if ":" in port.address else port.address
    closed = f" closed: {port.reason}" if port.state == "closed" else ""
    return f"{address}:{port.host_port} -> {port.guest_port}{closed}"


def _time(at: datetime | None) -> str | None:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else None
