"""What callers pass in about services, described once (see arguments.py)."""

from collections.abc import Sequence
from typing import Annotated

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.arguments import Argument
from pyro_mcp.models.service import PortMapping, Readiness, ReadinessChoice

_MOST_PORTS = 32


def _readiness_fault(value: object) -> str | None:
    if isinstance(value, ReadinessChoice):
        return _fault_of(value.chosen)
    return None if isinstance(value, Readiness) else "is none of FileReady, TcpReady, HttpReady, CommandReady"


def _ports_fault(value: object) -> str | None:
    if (
        isinstance(value, str)
        or not isinstance(value, Sequence)
        or not all(isinstance(item, str) for item in value)
    ):
        return "is not a list of strings"
    if len(value) > _MOST_PORTS:
        return f"has {len(value)} ports; the most is {_MOST_PORTS}"
    return next(
        filter(None, (_fault_of(lambda item=item: PortMapping.from_text(item)) for item in value)), None
    )


def _fault_of(read: object) -> str | None:
    assert callable(read)
    try:
        read()
    except InvalidRequest as error:
        return f"is wrong: {error.brief}"
    return None


ServiceRef = Annotated[
    str,
    Argument(
        text="a-z, 0-9, -.",
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        form="web-1: lowercase letters, digits and -",
        hint="A service's name has 1 to 63 of a-z, 0-9 and '-', such as web.",
    ),
]
ReadinessArgument = Annotated[
    Readiness | ReadinessChoice | None,
    Argument(
        text="One of: a file it writes, a port, a http://localhost URL, a command that succeeds.",
        also=_readiness_fault,
        wire=ReadinessChoice,
        hint="Give one of file, tcp, http and command.",
    ),
]
ReadyTimeoutSeconds = Annotated[float, Argument(text="Then it is ended.", minimum=0.1, maximum=24 * 3600)]
ReadyIntervalMs = Annotated[int, Argument(text="Between looks.", obvious=True, minimum=10, maximum=3600_000)]
PublishedPorts = Annotated[
    Sequence[str],
    Argument(
        text="From this computer: [HOST_IP:]HOST:GUEST; host port 0 is chosen.",
        also=_ports_fault,
        hint="Write [HOST_IP:]HOST:GUEST, such as 8080:80; host port 0 lets pyro choose.",
    ),
]
LogCursor = Annotated[
    int | None, Argument(text="From next_cursor, to go on reading.", minimum=0, maximum=1 << 50)
]
LogTail = Annotated[
    int, Argument(text="Without a cursor: the last so many lines.", minimum=1, maximum=1_000_000)
]
