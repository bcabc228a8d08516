"""Ask a keeper (and through it the agent) one thing: a connection of its own, blocking, with data in both directions."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest, LimitReached, OutcomeUnknown
from pyro_mcp.guest.faults import error_from
from pyro_wire.events import Answered, Control, Data, Event, Failed
from pyro_wire.frames import ProtocolError
from pyro_wire.messages import Message, MessageError
from pyro_wire.mux import Mux
from pyro_wire.verbs import READING

OnData = Callable[[int, bytes], None]
_READ = 256 * 1024
_BLOCK = 64 * 1024
_GREETING_SECONDS = 10.0
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: unix(7)


class Source(Protocol):
    """Where the bytes for the other side come from: `read` does not block once the descriptor is readable."""

    def fileno(self) -> int: ...

    def read(self, most: int) -> bytes | None:
        """Give the next bytes; empty ones are the end, None is nothing so far."""
        ...


class Controls(Protocol):
    """Something that may want to say a word to a running request: `fileno` is readable when it does."""

    def fileno(self) -> int: ...

    def take(self) -> Message | None:
        """Give the next control message; None asks to cancel the request."""
        ...


class NotRunning(Conflict):
    """The keeper left before it was asked anything: whoever starts the machine anew may ask the same again."""

    def __init__(self, details: str) -> None:
        super().__init__(
            "the machine is not running any more", details=details, hint="ask again: it is started anew"
        )


class Channel:
    """A connection to one keeper, good for one request after another. Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        self._socket = _connect(path)
        self._mux = Mux(initiator=True)
        self._mux.hello(os.urandom(8).hex())

    @property
    def keeper(self) -> int:
        """The process that is spoken to."""
        there = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid: int = _CREDENTIALS.unpack(there)[0]
        return pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def ask(
        self,
        message: Message,
        *,
        on_data: OnData | None = None,
        on_control: Callable[[Message], None] | None = None,
        body: bytes | Source | None = None,
        controls: Controls | None = None,
        timeout: float | None = None,
    ) -> Message:
        """Send a request, move its data, and give its answer. What `on_data` raises is raised on, with the request under way.

        `body` is sent on channel 0 and ended; `timeout` bounds the whole in seconds. Raises the typed error of a fault. When
        the line breaks after the request was sent: GuestFailed if it only looked, else OutcomeUnknown.
        """
        request = _Request(self._socket, self._mux, on_data, on_control, controls)
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            request.greet(deadline)
        except OutcomeUnknown as error:  # it left before it was asked anything
            raise NotRunning(error.details or "") from error
        try:
            return request.run(message, body, deadline)
        except OutcomeUnknown as error:
            if message.get("verb") in READING:
                raise GuestFailed(error.brief, details=error.details, hint="ask again") from error
            raise
        except MessageError as error:
            raise InvalidRequest(
                "the request is too large for one message",
                details=str(error),
                hint="write large things to a file first",
            ) from error


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(os.fspath(path))
    except OSError as error:
        connection.close()
        raise NotRunning(f"{path}: {error}") from error
    connection.setblocking(False)
    return connection


class _Request:
    """One request under way."""

    def __init__(
        self,
        line: socket.socket,
        mux: Mux,
        on_data: OnData | None,
        on_control: Callable[[Message], None] | None,
        controls: Controls | None,
    ) -> None:
        self._line = line
        self._mux = mux
        self._on_data = on_data
        self._on_control = on_control
        self._controls = controls
        self._stream = 0
        self._waiting = memoryview(b"")  # a large body is cut again and again, so it must not be copied
        self._source: Source | None = None
        self._input_open = False
        self._answer: Message | None = None

    def greet(self, deadline: float | None) -> None:
        limit = time.monotonic() + _GREETING_SECONDS
        limit = limit if deadline is None else min(limit, deadline)
        while not self._mux.greeted:
            self._turn(limit)

    def run(self, message: Message, body: bytes | Source | None, deadline: float | None) -> Message:
        self._stream = self._mux.open(message)
        self._input_open = body is not None
        if isinstance(body, bytes):
            self._waiting = memoryview(body)
        else:
            self._source = body
        while self._answer is None:
            self._push_input()
            self._turn(deadline)
        return self._answer

    def _push_input(self) -> None:
        if not self._input_open or self._stream not in self._mux:
            return
        if self._waiting:
            sent = self._mux.send(self._stream, 0, self._waiting)
            self._waiting = self._waiting[sent:]
        if not self._waiting and self._source is None:
            self._mux.end(self._stream, 0)
            self._input_open = False

    def _turn(self, deadline: float | None) -> None:
        """Wait for the next thing that can be done and do it."""
        poll = select.poll()
        poll.register(self._line, select.POLLIN | (select.POLLOUT if self._mux.backlog else 0))
        takes_input = self._input_open and self._source is not None and not self._waiting
        if takes_input and self._source is not None and self._mux.room(self._stream):
            poll.register(self._source.fileno(), select.POLLIN)
        if self._controls is not None and self._stream in self._mux:
            poll.register(self._controls.fileno(), select.POLLIN)
        happened = dict(poll.poll(_milliseconds(deadline)))
        if not happened and deadline is not None and time.monotonic() >= deadline:
            raise LimitReached("the machine did not answer in time")
        if self._controls is not None and self._controls.fileno() in happened:
            self._say()
        if self._source is not None and self._source.fileno() in happened:
            self._read_input(self._source)
        self._move(happened.get(self._line.fileno(), 0))

    def _say(self) -> None:
        assert self._controls is not None
        message = self._controls.take()
        if message is None:
            self._mux.cancel(self._stream)
        else:
            self._mux.control(self._stream, message)

    def _read_input(self, source: Source) -> None:
        try:
            data = source.read(_BLOCK)
        except OSError:
            data = b""  # a terminal or pipe that broke has nothing more to say
        if data is not None:
            self._waiting = memoryview(data)
            self._source = source if data else None

    def _move(self, happened: int) -> None:
        data: bytes | None = None
        try:
            if happened & select.POLLOUT:
                self._mux.wrote(self._line.send(self._mux.outgoing()))
            if happened & (select.POLLIN | select.POLLHUP | select.POLLERR):
                data = self._line.recv(_READ)
        except BlockingIOError:
            pass
        except OSError as error:
            raise _broken(str(error)) from error
        if data is not None:
            self._take(data)

    def _take(self, data: bytes) -> None:
        if not data:
            raise _broken("the keeper closed the line")
        try:
            happened = self._mux.receive(data)
        except ProtocolError as error:
            raise GuestFailed("the keeper does not speak our protocol", details=str(error)) from error
        for event in happened:
            self._handle(event)

    def _handle(self, event: Event) -> None:
        if isinstance(event, Data):
            if self._on_data is not None:
                self._on_data(event.channel, event.payload)
            self._mux.consumed(event.stream, len(event.payload))
        elif isinstance(event, Control) and self._on_control is not None:
            self._on_control(event.message)
        elif isinstance(event, Answered):
            self._answer = event.message
        elif isinstance(event, Failed):
            raise error_from(event.fault)


def _milliseconds(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - time.monotonic(), 0.0) * 1000 + 1


def _broken(details: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        "the machine ended while it was working",
        details=details,
        hint="look at what is there before you repeat it: it may or may not have happened",
    )
