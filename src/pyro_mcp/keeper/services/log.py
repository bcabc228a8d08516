"""What a service writes, for as long as it may run: pieces of a bounded size, of which the oldest go.

A piece's name is the number of bytes that came before it, so a position in the log stays what it is when pieces go.
"""

from __future__ import annotations

import os
from pathlib import Path

PIECE_BYTES = 32 << 20
PIECES_KEPT = 3
_PREFIX = "log-"


class ServiceLog:
    """The writing end."""

    def __init__(self, directory: Path, piece_bytes: int = PIECE_BYTES) -> None:
        self._directory = directory
        self._piece_bytes = piece_bytes
        self._start = self.size = 0
        self._file = self._open()

    def write(self, data: bytes) -> None:
        """Append; where the host's disk is full it is lost, and the service goes on."""
        while data:
            room = self._start + self._piece_bytes - self.size
            if room <= 0:
                self._next_piece()
                continue
            try:
                written = os.write(self._file, data[:room])
            except OSError:
                return
            self.size += written
            data = data[written:]

    def tail(self, size: int) -> bytes:
        """Give the last bytes of what was written."""
        data = b"".join(read_pieces(self._directory, max(0, self.size - size), size))
        return data[-size:]

    def close(self) -> None:
        os.close(self._file)

    def _next_piece(self) -> None:
        os.close(self._file)
        self._start = self.size
        self._file = self._open()
        for old in pieces(self._directory)[:-PIECES_KEPT]:
            piece_path(self._directory, old).unlink(missing_ok=True)

    def _open(self) -> int:
        path = piece_path(self._directory, self._start)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def piece_path(directory: Path, start: int) -> Path:
    """Name the file of the piece that begins at a position."""
    return directory / f"{_PREFIX}{start:016d}"


def pieces(directory: Path) -> list[int]:
    """List where the pieces that are there begin, the oldest first."""
    return sorted(int(path.name.removeprefix(_PREFIX)) for path in directory.glob(f"{_PREFIX}*"))


def read_pieces(directory: Path, start: int, limit: int) -> list[bytes]:
    """Give up to `limit` bytes from a position on; what is gone is passed over. A piece may go while we read."""
    found: list[bytes] = []
    for begin in pieces(directory):
        if limit <= 0:
            break
        try:
            with piece_path(directory, begin).open("rb") as file:
                file.seek(max(0, start - begin))
                data = file.read(limit)
        except FileNotFoundError:
            continue
        found.append(data)
        limit -= len(data)
    return found
