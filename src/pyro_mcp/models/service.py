"""Services: long-running processes of a workspace, how they are seen to be ready, and the ports that lead to them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pyro_mcp.errors import InvalidRequest

ServiceState = Literal["starting", "running", "exited", "stopped", "failed"]
LOOPBACK = "127.0.0.1"
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_PORT_HINT = "Write [HOST_IP:]HOST:GUEST, such as 8080:80; host port 0 lets pyro choose."


@dataclass(frozen=True, slots=True)
class FileReady:
    """Ready once the file is there, or has changed where it was there before."""

    path: str

    def __post_init__(self) -> None:
        if not self.path or "\0" in self.path:
            raise InvalidRequest("a readiness file needs a path", hint="Name a file that the service writes.")


@dataclass(frozen=True, slots=True)
class TcpReady:
    """Ready once a port of the workspace takes connections."""

    port: int

    def __post_init__(self) -> None:
        _check_port(self.port)


@dataclass(frozen=True, slots=True)
class HttpReady:
    """Ready once a GET is answered with a status from 200 to 399. The URL is the workspace's own: http://localhost:8000/health."""

    url: str

    def __post_init__(self) -> None:
        self.parts()

    def parts(self) -> tuple[int, str, str]:
        """Give port, request target and host; raises InvalidRequest."""
        try:
            url = urlsplit(self.url)
            port = url.port or 80
        except ValueError as error:
            raise self._wrong(str(error)) from None
        if (
            url.scheme != "http"
            or url.hostname not in _LOOPBACK_NAMES
            or not self.url.isprintable()
            or " " in self.url
        ):
            raise self._wrong("it is no plain http URL of localhost")
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        return port, target, url.netloc.rpartition("@")[2]

    def _wrong(self, details: str) -> InvalidRequest:
        return InvalidRequest(
            f"{self.url[:80]!r} cannot be asked whether the service is ready",
            details=details,
            hint="Give a URL such as http://localhost:8000/health; for anything else, a readiness command.",
        )


@dataclass(frozen=True, slots=True)
class CommandReady:
    """Ready once a command ends with exit status 0. A string is for `sh -c`."""

    command: str | tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.command:
            raise InvalidRequest(
                "a readiness command is empty", hint="Give a command that succeeds once it is ready."
            )


Readiness = FileReady | TcpReady | HttpReady | CommandReady


@dataclass(frozen=True, slots=True)
class ReadinessChoice:
    """Readiness as JSON: one of these."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    file: str = ""
    tcp: int = 0
    http: str = ""
    command: str = ""

    def chosen(self) -> Readiness:
        """Give the one that is meant; raises InvalidRequest where it is not one."""
        meant: list[Readiness] = [
            *([FileReady(self.file)] if self.file else []),
            *([TcpReady(self.tcp)] if self.tcp else []),
            *([HttpReady(self.http)] if self.http else []),
            *([CommandReady(self.command)] if self.command else []),
        ]
        if len(meant) != 1:
            raise InvalidRequest(
                f"{len(meant)} ways to see that the service is ready",
                hint="Give one of file, tcp, http and command.",
            )
        return meant[0]


@dataclass(frozen=True, slots=True)
class PortMapping:
    """A port of this host (0: pyro chooses) that is to lead to a port of the workspace."""

    address: str
    host_port: int
    guest_port: int

    @classmethod
    def from_text(cls, text: str) -> PortMapping:
        """Read `[HOST_IP:]HOST:GUEST`, an IPv6 address in brackets; raises InvalidRequest."""
        rest, _, guest = text.rpartition(":")
        address, _, host = rest.rpartition(":")
        try:
            found = cls(str(ipaddress.ip_address(address.strip("[]") or LOOPBACK)), int(host), int(guest))
        except ValueError:
            raise InvalidRequest(f"{text[:80]!r} is no published port", hint=_PORT_HINT) from None
        if not (0 <= found.host_port <= 65535 and 1 <= found.guest_port <= 65535):
            raise InvalidRequest(f"{text[:80]!r} has a port that is none", hint=_PORT_HINT)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPort:
    """A port of this host that leads to a port of the workspace. `reason` tells why it is closed."""

    address: str
    host_port: int
    guest_port: int
    state: Literal["open", "closed"]
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInfo:
    """A service. It runs in the states `starting` and `running` only.

    `exited`: it ended by itself. `stopped`: somebody stopped it, or its machine ended. `failed`: it was never ready.
    """

    plural: ClassVar[str] = "services"

    service: str
    state: ServiceState
    reason: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    command: str | tuple[str, ...]
    cwd: str
    started_at: datetime
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    log_bytes: int = 0
    published_ports: tuple[PublishedPort, ...] = ()
    resumed: bool = False
    resumed_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLogs:
    """A part of what a service wrote since it was started, stdout and stderr in the order they came.

    `next_cursor` is where to go on reading. `dropped_bytes` between the cursor asked for and this part are gone.
    """

    service: str
    text: str
    cursor: int
    next_cursor: int
    size: int
    dropped_bytes: int = 0
    # Of a search: how many lines are given, and how many there are where they could be counted.
    matches: int | None = None
    total_matches: int | None = None


def _check_port(port: int) -> None:
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise InvalidRequest(f"{port!r} is no port", hint="A port is a number from 1 to 65535.")
