"""Ways to see that a service is ready: each asks the agent one thing, again and again.

What was so before the service began proves nothing: a file that is there already must change, and a port that answers already
is somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pyro_mcp.keeper.lines.loop import Loop
from pyro_mcp.keeper.lines.switchboard import Switchboard
from pyro_wire import events, messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message, MessageError

# A look that takes longer than this has failed; the next one may do better.
_LOOK_SECONDS = 5.0
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_LONGEST_STATUS = 1024
_WORDS = 300


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look showed."""

    ready: bool
    words: str


Told = Callable[[Seen], None]


class Ask(Protocol):
    """What a way of looking says to the agent, and how it understands what comes back."""

    # Whether a look before the service begins would tell nothing.
    after_only: bool

    def request(self) -> Message: ...

    def said(self, event: events.Event) -> Seen | None:
        """Judge an event; None waits for more."""
        ...

    def body(self) -> bytes: ...


class Look:
    """One look: done when it has told, which it does once."""

    def __init__(self, loop: Loop, board: Switchboard, ask: Ask, told: Told) -> None:
        self._board = board
        self._ask = ask
        self._told = told
        self._done = False
        asked = board.ask_agent(ask.request(), self._from_agent)
        if isinstance(asked, Fault):
            self._stream = -1
            self._finish(Seen(False, asked.brief))
            return
        self._stream = asked
        if body := ask.body():
            board.agent.mux.send(asked, 0, body)
            board.agent.update()
        loop.after(_LOOK_SECONDS, self._time_is_over)

    def abandon(self) -> None:
        """Tell nobody."""
        self._done = True
        self._cancel()

    def _from_agent(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            self._board.agent.mux.consumed(event.stream, len(event.payload))
        if self._done:
            return
        seen = self._ask.said(event)
        if seen is not None:
            self._finish(seen)

    def _time_is_over(self) -> None:
        if not self._done:
            self._finish(Seen(False, f"no answer within {_LOOK_SECONDS:g} s"))
        self._cancel()

    def _finish(self, seen: Seen) -> None:
        """A connection is ended as a client would: many a server falls over one that is reset as soon as it stands."""
        self._done = True
        if self._stream in self._board.agent.mux:
            self._board.agent.mux.end(self._stream, 0)
            self._board.agent.update()
        self._told(seen)

    def _cancel(self) -> None:
        if self._stream in self._board.agent.mux:
            self._board.agent.mux.cancel(self._stream)
            self._board.agent.update()


class FileAsk:
    """Ready when the file is there, and is not as it was before."""

    after_only = False

    def __init__(self, path: str) -> None:
        self._path = path
        self._before: tuple[object, ...] | None = None

    def request(self) -> Message:
        return {"verb": "file.stat", "path": self._path}

    def body(self) -> bytes:
        return b""

    def said(self, event: events.Event) -> Seen | None:
        if isinstance(event, events.Failed):
            return Seen(False, event.fault.brief)
        if not isinstance(event, events.Answered):
            return None
        now = tuple(event.message.get(name) for name in ("kind", "mtime_ns", "size"))
        if self._before is None:
            self._before = now
            return Seen(False, "")
        if now[0] == "absent":
            return Seen(False, f"{self._path} is not there")
        return Seen(now != self._before, f"{self._path} is as it was before")


class TcpAsk:
    """Ready when the port takes a connection."""

    after_only = False

    def __init__(self, port: int) -> None:
        self._port = port

    def request(self) -> Message:
        return {"verb": "connect", "port": self._port}

    def body(self) -> bytes:
        return b""

    def said(self, event: events.Event) -> Seen | None:
        if isinstance(event, events.Failed):
            return Seen(False, event.fault.brief)
        if isinstance(event, events.Control):
            return Seen(True, f"port {self._port} takes connections")
        return None


class HttpAsk:
    """Ready when a GET is answered with a status from 200 to 399."""

    after_only = False

    def __init__(self, port: int, target: str, host: str) -> None:
        self._port = port
        self._target = target
        self._host = host
        self._head = b""

    def request(self) -> Message:
        self._head = b""
        return {"verb": "connect", "port": self._port}

    def body(self) -> bytes:
        lines = (
            f"GET {self._target} HTTP/1.1",
            f"Host: {self._host}",
            "User-Agent: pyro",
            "Connection: close",
        )
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode()

    def said(self, event: events.Event) -> Seen | None:
        if isinstance(event, events.Failed):
            return Seen(False, event.fault.brief)
        if isinstance(event, events.Data):
            self._head += event.payload[: _LONGEST_STATUS - len(self._head)]
        if status := _STATUS_LINE.match(self._head):
            return Seen(200 <= int(status[1]) < 400, f"GET {self._target} gave status {int(status[1])}")
        ended = isinstance(event, events.Ended | events.Answered) or len(self._head) == _LONGEST_STATUS
        return Seen(False, f"port {self._port} does not speak HTTP") if ended else None


class CommandAsk:
    """Ready when the command's exit status is 0."""

    after_only = True

    def __init__(self, request: Message) -> None:
        self._request = request
        self._tail = b""

    def request(self) -> Message:
        self._tail = b""
        return {**self._request, "verb": "exec", "stdin": False, "timeout_ms": round(_LOOK_SECONDS * 1000)}

    def body(self) -> bytes:
        return b""

    def said(self, event: events.Event) -> Seen | None:
        if isinstance(event, events.Data):
            self._tail = (self._tail + event.payload)[-_WORDS:]
        elif isinstance(event, events.Failed):
            return Seen(False, event.fault.brief)
        elif isinstance(event, events.Answered):
            code = event.message.get("exit_code")
            words = f"the command's exit status was {code}: {self._tail.decode(errors='replace').strip()}"
            return Seen(code == 0, words.rstrip(": "))
        return None


def ask_from(message: object) -> Ask | None:
    """Read how readiness is to be seen; None where it is not. Raises MessageError."""
    if message is None:
        return None
    if not isinstance(message, dict):
        raise MessageError("readiness: an object belongs here")
    kind = messages.text(message, "kind")
    if kind == "file":
        return FileAsk(messages.text(message, "path"))
    if kind == "command":
        request = message.get("request")
        if not isinstance(request, dict):
            raise MessageError("request: an object belongs here")
        return CommandAsk(request)
    port = messages.integer(message, "port", low=1, high=65535)
    if kind == "tcp":
        return TcpAsk(port)
    if kind == "http":
        return HttpAsk(port, messages.text(message, "target"), messages.text(message, "host"))
    raise MessageError(f"readiness: there is no {kind[:40]!r}")
