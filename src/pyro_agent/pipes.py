"""A process's pipes tied to a stream: bytes go on only as fast as the other side takes them."""

from __future__ import annotations

import os
from collections import deque

from pyro_agent.loop import GONE, READ, WRITE, Loop
from pyro_agent.requests import Request

# One read: what a frame carries. All output of all commands passes through this one buffer.
_BUFFER = memoryview(bytearray(64 * 1024))


class OutputPipe:
    """The reading end of a command's stdout or stderr, towards the host."""

    def __init__(self, loop: Loop, descriptor: int, request: Request, channel: int) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._request = request
        self._channel = channel
        self.finished = False
        self._writers_dead = False
        os.set_blocking(descriptor, False)

    def on_turn(self) -> None:
        """Watch the pipe exactly while the host takes its bytes."""
        if self.finished:
            return
        if self._request.room:
            self._loop.watch(self._descriptor, READ, self._ready)
        else:
            self._loop.forget(self._descriptor)

    def writers_died(self) -> None:
        """Take what is left in the pipe as all there is, even if someone holds its other end open."""
        self._writers_dead = True
        self._move()

    def close(self) -> None:
        """Give the pipe back."""
        if not self.finished:
            self.finished = True
            self._loop.forget(self._descriptor)
            os.close(self._descriptor)

    def _ready(self, _ready: int) -> None:
        self._request.guarded(self._move_once)

    def _move_once(self) -> None:
        room = min(self._request.room, len(_BUFFER))
        if room and not self.finished:
            self._read(room)

    def _move(self) -> None:
        while not self.finished and (room := min(self._request.room, len(_BUFFER))):
            if not self._read(room):
                return

    def _read(self, room: int) -> bool:
        """Pass one read on; tell whether there may be more."""
        try:
            count = os.readv(self._descriptor, [_BUFFER[:room]])
        except BlockingIOError:
            if self._writers_dead:
                self._end()
            return False
        if count:
            self._request.send(self._channel, _BUFFER[:count])
        else:
            self._end()
        return bool(count)

    def _end(self) -> None:
        self.close()
        self._request.end(self._channel)


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
