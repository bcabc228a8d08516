"""A process's pipes tied to a stream: bytes go on only as fast as the other side takes them."""

from __future__ import annotations

import os
from collections import deque

from pyro_agent.base.loop import GONE, READ, WRITE, Loop, Timer
from pyro_agent.requests.request import Request
from pyro_wire.mux import DATA_PIECE

# What two frames carry. All output of all commands passes through this one buffer.
_BUFFER = memoryview(bytearray(2 * DATA_PIECE))
# After a read that did not fill the buffer the pipe is left to fill for a moment: a command that writes line by line
# would cost the agent one turn per line, at 0.4 ms under emulation. The first bytes after a pause never wait.
_REST_S = 0.002


class OutputPipe:
    """The reading end of a command's stdout or stderr, towards the host."""

    def __init__(self, loop: Loop, descriptor: int, request: Request, channel: int) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._request = request
        self._channel = channel
        self._resting: Timer | None = None
        self.finished = False
        os.set_blocking(descriptor, False)

    def on_turn(self) -> None:
        """Watch the pipe exactly while the host takes its bytes."""
        if self.finished or self._resting is not None:
            return
        if self._request.room:
            self._loop.watch(self._descriptor, READ, self._ready)
        else:
            self._loop.forget(self._descriptor)

    def drain(self) -> None:
        """Pass on what is left once every writer is dead; that is all, even if someone holds the other end open."""
        while not self.finished and self._request.room:
            if not self._read():
                self._end()

    def close(self) -> None:
        """Give the pipe back."""
        if not self.finished:
            self.finished = True
            self._stop_resting()
            self._loop.forget(self._descriptor)
            os.close(self._descriptor)

    def _ready(self, _ready: int) -> None:
        self._request.guarded(self._move)

    def _move(self) -> None:
        self._stop_resting()
        if self.finished or not self._request.room:
            return
        count = self._read()
        if count == 0:
            self._end()
        elif count is not None and count < len(_BUFFER):
            self._loop.forget(self._descriptor)
            self._resting = self._loop.after(_REST_S, lambda: self._request.guarded(self._move))

    def _read(self) -> int | None:
        """Pass one read on; return its size, 0 at the end, None where there is nothing now."""
        try:
            count = os.readv(self._descriptor, [_BUFFER[: self._request.room]])
        except BlockingIOError:
            return None
        if count:
            self._request.send(self._channel, _BUFFER[:count])
        return count

    def _end(self) -> None:
        self.close()
        self._request.end(self._channel)

    def _stop_resting(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None


class InputPipe:
    """The writing end of a command's stdin, from the host."""

    def __init__(self, loop: Loop, descriptor: int, request: Request) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._request = request
        self._waiting: deque[memoryview] = deque()  # at most one window: credit follows what was written
        self._ending = False
        self._closed = False
        os.set_blocking(descriptor, False)

    def write(self, payload: bytes) -> None:
        """Take bytes from the host; a command that reads no more swallows them."""
        if self._closed:
            self._request.consumed(len(payload))
            return
        self._waiting.append(memoryview(payload))
        if len(self._waiting) == 1:
            self._flush()

    def end(self) -> None:
        """Close the pipe once everything is written."""
        self._ending = True
        if not self._waiting:
            self.close()

    def close(self) -> None:
        """Give the pipe back and swallow what was waiting."""
        if self._closed:
            return
        self._closed = True
        self._loop.forget(self._descriptor)
        os.close(self._descriptor)
        self._request.consumed(sum(map(len, self._waiting)))
        self._waiting.clear()

    def _ready(self, ready: int) -> None:
        self._request.guarded(self.close if ready & GONE else self._flush)

    def _flush(self) -> None:
        while self._waiting and not self._closed:
            head = self._waiting[0]
            try:
                written = os.write(self._descriptor, head)
            except BlockingIOError:
                self._loop.watch(self._descriptor, WRITE, self._ready)
                return
            except BrokenPipeError:
                self.close()
                return
            self._waiting.popleft()
            if written < len(head):
                self._waiting.appendleft(head[written:])
            self._request.consumed(written)
        self._loop.forget(self._descriptor)
        if self._ending:
            self.close()
