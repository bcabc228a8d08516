"""Services as a model reads them."""

from collections.abc import Sequence

from pyro_mcp.mcp_server.texts.answers import of_all, resumed_line
from pyro_mcp.models.service import PublishedPort, ServiceInfo, ServiceLogs
from pyro_mcp.terminal.plain import plain


def service_text(found: ServiceInfo) -> str:
    """How it stands, then the ports, then the next step."""
    lines = [_line(found)]
    if found.resumed:
        lines.append(resumed_line(found.resumed_reason, wide=True))
    lines += [_port(port) for port in found.published_ports]
    if found.state in ("exited", "failed"):
        lines.append("service_logs has what it wrote.")
    elif found.state == "stopped":
        lines.append("Nothing of it runs; service_start starts it again.")
    return "\n".join(lines)


def services_text(found: Sequence[ServiceInfo]) -> str:
    """A line each."""
    if not found:
        return "The workspace has had no services. Start one with service_start."
    return "\n".join(line for item in found for line in (_line(item), *map(_port, item.published_ports)))


def logs_text(found: ServiceLogs) -> str:
    """The text, and where it goes on."""
    if found.matches is not None:
        shown, total = found.matches, found.total_matches
        of = f"{shown} lines match" if shown == total else f"first {shown} lines that match, {of_all(total)}"
        return f"{of} (position: line)\n{plain(found.text)}".rstrip("\n")
    told = [f"bytes {found.cursor} to {found.next_cursor} of {found.size}"]
    if found.dropped_bytes:
        told.append(f"{found.dropped_bytes} bytes before that are gone")
    told.append(f"later: cursor {found.next_cursor}")
    return (
        f"{plain(found.text).rstrip()}\n---\n{', '.join(told)}"
        if found.text
        else f"nothing; {', '.join(told)}"
    )


def _line(found: ServiceInfo) -> str:
    reason = f" ({found.reason})" if found.reason else ""
    command = found.command if isinstance(found.command, str) else " ".join(found.command)
    return f"service {found.service}: {found.state}{reason}, log {found.log_bytes} bytes, command: {command[:200]}"


def _port(port: PublishedPort) -> str:
    address = f"[{port.address}]" if ":" in port.address else port.address
    state = "open" if port.state == "open" else f"closed: {port.reason}"
    return f"{address}:{port.host_port} on this computer leads to its port {port.guest_port} ({state})"
