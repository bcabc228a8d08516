"""The newest bytes of a shell's stream, by their position in it."""

from __future__ import annotations

KEPT_BYTES = 2 << 20
# Cutting the front off moves all that is kept, so it is not done for every byte.
_SLACK = 256 * 1024


class Ring:
    """What is kept lies between `start` and `end`; both only grow."""

    def __init__(self, kept: int = KEPT_BYTES) -> None:
        self._bytes = bytearray()
        self._kept = kept
        self.start = 0

    @property
    def end(self) -> int:
        """Give the number of bytes there have been."""
        return self.start + len(self._bytes)

    def add(self, data: bytes) -> None:
        """Keep the next bytes, and let go of the oldest."""
        self._bytes += data
        excess = len(self._bytes) - self._kept
        if excess > _SLACK:
            del self._bytes[:excess]
            self.start += excess

    def read(self, position: int, most: int) -> bytes:
        """Give bytes from a position on, or from where they are kept."""
        at = max(0, position - self.start)
        return bytes(self._bytes[at : at + most])
