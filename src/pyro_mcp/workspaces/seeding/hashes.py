"""Remember the hashes of files that were read, so that a later push reads only those that changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pyro_mcp.workspaces.seeding.entries import Stamp

_SIZE = 32  # of a hash
_LINE = 5  # words of a stamp


class HashCache:
    """The hashes of one directory's files by their stamps. Losing it costs time, nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[Stamp, bytes]:
        """Read what is known."""
        try:
            lines = self._path.read_bytes().split(b"\n")
            return dict(_decode(line) for line in lines if line)
        except (OSError, ValueError, TypeError):
            return {}

    def save(self, hashes: Mapping[Stamp, bytes]) -> None:
        """Write what is known from now on."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        unfinished.write_bytes(
            b"".join(
                b"%d %d %d %d %d %s\n" % (*stamp, digest.hex().encode()) for stamp, digest in hashes.items()
            )
        )
        unfinished.replace(self._path)


def _decode(line: bytes) -> tuple[Stamp, bytes]:
    *words, digest = line.split(b" ")
    if len(words) != _LINE:
        raise ValueError("not a stamp")
    found = bytes.fromhex(digest.decode())
    if len(found) != _SIZE:
        raise ValueError("not a hash")
    return Stamp(*map(int, words)), found
