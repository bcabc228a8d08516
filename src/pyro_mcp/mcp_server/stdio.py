"""Serve over standard input and output.

Not by the SDK's transport: that drops what it cannot read without a word, reads lines without end, and is stuck with a host
that does not read its answers. Here garbage is answered, a line has a limit, a host with too many questions open is not
listened to, and nothing blocks but the waiting for the host itself.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types.jsonrpc import JSONRPCMessage, JSONRPCNotification, JSONRPCRequest

from pyro_mcp.mcp_server.lines import Lines, decoded, refusal

_BLOCK = 1 << 16
# A pipe that is ready takes this much (PIPE_BUF) without blocking.
_PORTION = 4096
# More open questions than any host has; what it asks beyond waits in its pipe, where it is the host's memory.
_MOST_OPEN = 256
# Between two looks at a host that we do not listen to.
_LOOK_SECONDS = 0.2

Arrivals = MemoryObjectReceiveStream[SessionMessage | Exception]
Answers = MemoryObjectSendStream[SessionMessage]


@asynccontextmanager
async def served_over_stdio(
    on_end: Callable[[], None], linger_seconds: float | None = None
) -> AsyncIterator[tuple[Arrivals, Answers]]:
    """Give the streams that the SDK's server runs on; `on_end` is called when the host is gone.

    With `linger_seconds` the process ends so long after that, whatever it is at.
    """
    with _taken_over() as (source, sink):
        line = _Line(source, sink, on_end, linger_seconds)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(line.listen)
            tasks.start_soon(line.speak)
            yield line.arrivals, line.answers
            tasks.cancel_scope.cancel()


class _Line:
    """One host on two descriptors."""

    def __init__(self, source: int, sink: int, on_end: Callable[[], None], linger: float | None) -> None:
        self._source, self._sink = source, sink
        self._on_end, self._linger = on_end, linger
        self._arriving, self.arrivals = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        self.answers: Answers
        self._answering: MemoryObjectReceiveStream[SessionMessage]
        self.answers, self._answering = anyio.create_memory_object_stream[SessionMessage](0)
        self._refusals = self.answers.clone()
        self._open: set[int | str] = set()
        self._closed_one = anyio.Event()
        self._gone = False

    async def listen(self) -> None:
        """Pass on what the host says until it ends."""
        lines = Lines()
        async with self._arriving, self._refusals:
            while not self._gone:
                data = await _read(self._source)
                for line in lines.feed(data):
                    await self._take(line)
                    if self._gone:
                        break
                if not data:
                    break
            self._end()

    async def speak(self) -> None:
        """Write what we say; a host that has stopped reading for good loses it."""
        async with self._answering:
            async for message in self._answering:
                text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                try:
                    await _write(self._sink, text.encode() + b"\n")
                except OSError:
                    self._end()
                self._close(getattr(message.message, "id", None), message.message)

    async def _take(self, line: bytes | None) -> None:
        message = decoded(line)
        if message is None:
            await self._unless_gone(partial(self._refusals.send, SessionMessage(refusal(line))))
            return
        if isinstance(message, JSONRPCRequest):
            self._open.add(message.id)
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._forget((message.params or {}).get("requestId"))  # it is never answered
        await self._arriving.send(SessionMessage(message))
        while len(self._open) >= _MOST_OPEN and not self._gone:
            await self._unless_gone(self._closed_one.wait)

    async def _unless_gone(self, wait: Callable[[], Awaitable[object]]) -> None:
        """Wait for the host to read its answers, or to hang up, which the unread rest of what it said hides."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._cancel_when_gone, tasks.cancel_scope)
            await wait()
            tasks.cancel_scope.cancel()

    async def _cancel_when_gone(self, scope: anyio.CancelScope) -> None:
        while not _hung_up(self._source):
            await anyio.sleep(_LOOK_SECONDS)
        self._end()
        scope.cancel()

    def _close(self, number: object, message: JSONRPCMessage) -> None:
        if not isinstance(message, JSONRPCRequest):  # our own questions have numbers of ours
            self._forget(number)

    def _forget(self, number: object) -> None:
        if isinstance(number, int | str):
            self._open.discard(number)
            self._closed_one.set()
            self._closed_one = anyio.Event()

    def _end(self) -> None:
        if self._gone:
            return
        self._gone = True
        if self._linger is not None:
            timer = threading.Timer(self._linger, os._exit, (0,))
            timer.daemon = True
            timer.start()
        self._on_end()


def _hung_up(descriptor: int) -> bool:
    look = select.poll()
    look.register(descriptor, 0)  # hanging up is told all the same
    return bool(look.poll(0))


async def _read(descriptor: int) -> bytes:
    try:
        await anyio.wait_readable(descriptor)
    except PermissionError:  # a plain file is always ready, and cannot be waited for
        await anyio.lowlevel.checkpoint()
    try:
        return os.read(descriptor, _BLOCK)
    except OSError:
        return b""


async def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            await anyio.wait_writable(descriptor)
        except PermissionError:
            await anyio.lowlevel.checkpoint()
        left = left[os.write(descriptor, left[:_PORTION]) :]


@contextmanager
def _taken_over() -> Iterator[tuple[int, int]]:
    """Have the two descriptors for ourselves: what anything else prints goes to standard error, and nobody reads."""
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    try:
        yield source, sink
    finally:
        sys.stdout.flush()
        os.dup2(source, 0)
        os.dup2(sink, 1)
        os.close(source)
        os.close(sink)
