"""A process beside the agent for calls that may block for seconds: writing out, freezing and thawing the disk."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pyro_agent.base import system
from pyro_agent.base.loop import READ, Loop
from pyro_agent.disk import mounts

SYNC, FREEZE, THAW, DETACH = b"s", b"f", b"t", b"d"
# A frozen disk blocks every writer; where the host forgets it, we thaw it ourselves.
_LONGEST_FREEZE_S = 15.0
_REPLY = struct.Struct("=i?d")  # errno, whether a freeze ran out, seconds spent (for a thaw: frozen)


@dataclass(frozen=True, slots=True)
class Reply:
    """How a call went."""

    error: int
    expired: bool
    ms: float


class DiskHelper:
    """The agent's side: one question at a time, in order."""

    def __init__(self, loop: Loop, own_descriptors: tuple[int, ...]) -> None:
        """Fork the helper; it closes `own_descriptors`, which are the agent's alone."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if not os.fork():
            for descriptor in (*own_descriptors, ours.fileno()):
                os.close(descriptor)
            _serve(theirs)
        theirs.close()
        ours.setblocking(False)
        self._line = ours
        self._asked: deque[tuple[bytes, Callable[[Reply], None]]] = deque()
        loop.watch(ours.fileno(), READ, lambda _: self._on_reply())

    def ask(self, question: bytes, then: Callable[[Reply], None]) -> None:
        """Have a call made; `then` gets its reply."""
        self._asked.append((question, then))
        if len(self._asked) == 1:
            self._line.send(question)

    def _on_reply(self) -> None:
        error, expired, seconds = _REPLY.unpack(self._line.recv(_REPLY.size))
        _, then = self._asked.popleft()
        if self._asked:
            self._line.send(self._asked[0][0])
        then(Reply(error, expired, round(seconds * 1000, 1)))


def _serve(line: socket.socket) -> None:
    """Answer until the agent is gone. Never returns."""
    try:
        disk = _Disk()
        while True:
            ready, _, _ = select.select([line], [], [], disk.patience())
            if not ready:
                disk.expire()
                continue
            question = line.recv(1)
            if not question:
                break
            line.send(_REPLY.pack(*_timed(disk, question)))
    finally:
        os._exit(1)


def _timed(disk: _Disk, question: bytes) -> tuple[int, bool, float]:
    started = time.monotonic()
    error, expired = 0, False
    try:
        if question == SYNC:
            disk.sync()
        elif question == FREEZE:
            disk.sync()
            disk.freeze()
        elif question == DETACH:
            disk.sync()
            disk.freeze(for_good=True)
        else:
            started = disk.frozen_at or started
            expired = disk.thaw()
    except OSError as failure:
        error = failure.errno or 1
    return error, expired, time.monotonic() - started


class _Disk:
    """The workspace's disk, as the helper sees it."""

    def __init__(self) -> None:
        self.frozen_at: float | None = None
        self._expired = False
        self._descriptor: int | None = None

    def patience(self) -> float | None:
        """Return how long the disk may stay frozen from now on."""
        if self.frozen_at is None:
            return None
        return max(0.0, self.frozen_at + _LONGEST_FREEZE_S - time.monotonic())

    def sync(self) -> None:
        system.sync_filesystem(self._open())

    def freeze(self, *, for_good: bool = False) -> None:
        system.freeze_filesystem(self._open())
        self.frozen_at, self._expired = None if for_good else time.monotonic(), False

    def thaw(self) -> bool:
        """Thaw, and tell whether that had already happened: by itself, or by the guest's own root."""
        if self.frozen_at is not None:
            self._expired = not self._thawed_now()
        expired, self._expired = self._expired, False
        return expired

    def expire(self) -> None:
        self._thawed_now()
        self._expired = True

    def _thawed_now(self) -> bool:
        self.frozen_at = None
        try:
            system.thaw_filesystem(self._open())
        except OSError as error:
            if error.errno != errno.EINVAL:  # "it is not frozen"
                raise
            return False
        return True

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(mounts.DISK, os.O_RDONLY | os.O_DIRECTORY)
        return self._descriptor
