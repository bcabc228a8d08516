"""A tar archive as a container of files: an image layout in one, or what docker saves."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import IO

from pyro_mcp.environments.oci.container import lacking
from pyro_mcp.environments.oci.limits import too_large
from pyro_mcp.environments.oci.tarstream import members, unsound

_CHUNK = 1 << 20
# An archive has a few files for each layer and platform.
_MOST_FILES = 50_000
_MOST_HOPS = 8  # of links to links, in archives of old dockers


@dataclass(frozen=True, slots=True)
class _Stored:
    offset: int
    size: int


class Archive:
    """A tar archive on a file that can be read from anywhere; old dockers' has links between its files."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._stored, self._links = _index(file)

    def size(self, name: str) -> int | None:
        """Tell how large a file is."""
        stored = self._find(name)
        return stored.size if stored else None

    def open(self, name: str) -> io.BufferedReader:
        """Open a file; several may be open at once."""
        stored = self._find(name)
        if stored is None:
            raise lacking(name)
        return io.BufferedReader(_Part(self._file, stored), _CHUNK)

    def _find(self, name: str) -> _Stored | None:
        for _ in range(_MOST_HOPS):
            if name not in self._links:
                break
            name = self._links[name]
        return self._stored.get(name)


def _index(file: IO[bytes]) -> tuple[Mapping[str, _Stored], Mapping[str, str]]:
    source = _Seeking(file)
    stored: dict[str, _Stored] = {}
    links: dict[str, str] = {}
    for number, member in enumerate(members(source)):
        if number == _MOST_FILES:
            raise too_large(f"an archive of more than {_MOST_FILES:,} files")
        name = normpath(member.name.decode(errors="backslashreplace").lstrip("/"))
        target = member.target.decode(errors="backslashreplace")
        if member.kind == "file":
            stored[name] = _Stored(source.position, member.size)
        elif member.kind == "link":
            links[name] = normpath(join(dirname(name), target))
        elif member.kind == "hardlink":
            links[name] = normpath(target)
    return stored, links


class _Seeking:
    """An archive's headers, read without what stands between them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._length = file.seek(0, os.SEEK_END)
        self.position = file.seek(0)

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.position += len(data)
        return data

    def skip(self, size: int) -> None:
        if self.position + size > self._length:
            raise unsound("it ends in the middle of a file")
        self.position = self._file.seek(self.position + size)


class _Part(io.RawIOBase):
    """A stretch of a file, as a file of its own."""

    def __init__(self, file: IO[bytes], stored: _Stored) -> None:
        self._descriptor = file.fileno()
        self._at, self._end = stored.offset, stored.offset + stored.size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io's own says "any buffer"
        read = os.preadv(self._descriptor, [buffer[: max(0, self._end - self._at)]], self._at)
        self._at += read
        return read
