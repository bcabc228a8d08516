"""Bytes that wait to be written to the line, in order and bounded."""

from __future__ import annotations

from collections import deque

from pyro_wire.frames import MAX_PAYLOAD, ProtocolError


class Outgoing:
    """A queue of encoded frames that is written piece by piece."""

    # Data stops being accepted here: a congested line shows as missing room, not as memory.
    FULL = 1024 * 1024
    # Small frames (answers, credit) are not held back by FULL, but a peer that asks and never reads ends here.
    LIMIT = 8 * FULL

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._head = b""
        self._written = 0  # bytes of _head that are out
        self.size = 0

    @property
    def room(self) -> int:
        """Return how many bytes of data may be added."""
        return self.FULL - self.size

    def add(self, frame: bytes) -> None:
        """Append one frame; raise ProtocolError where the peer has let far too much pile up."""
        if self.size + len(frame) > self.LIMIT:
            raise ProtocolError(f"the peer does not read: {self.size} bytes wait for it")
        self._waiting.append(frame)
        self.size += len(frame)

    def head(self) -> memoryview:
        """Return the next bytes to write; small frames are joined, so that one write takes many."""
        if self._written == len(self._head):
            self._head = self._next()
            self._written = 0
        return memoryview(self._head)[self._written :]

    def drop(self, count: int) -> None:
        """Forget `count` bytes of what `head` returned."""
        if not 0 <= count <= len(self._head) - self._written:
            raise ValueError(f"{count} bytes written of {len(self._head) - self._written}")
        self._written += count
        self.size -= count

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._head = b""
        self._written = self.size = 0

    def _next(self) -> bytes:
        if not self._waiting:
            return b""
        first = self._waiting.popleft()
        joined, size = [first], len(first)
        while self._waiting and size + len(self._waiting[0]) <= MAX_PAYLOAD:
            joined.append(self._waiting.popleft())
            size += len(joined[-1])
        return first if len(joined) == 1 else b"".join(joined)
