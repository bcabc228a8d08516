"""The archive or directory that an image comes in: its files by name, each read from its own start."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import IO, Protocol

from pyro_mcp.environments.oci.limits import Limits, too_large
from pyro_mcp.environments.oci.tarstream import members, unsound
from pyro_mcp.errors import InvalidRequest, LimitReached, NotFound
from pyro_mcp.host.room import free_disk

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 20
# An archive has a few files for each layer and platform.
_MOST_FILES = 50_000
_MOST_HOPS = 8  # of links to links, in archives of old dockers
# Left free while an archive is unpacked beside itself.
_SPARED = 256 << 20


class Container(Protocol):
    """Where an image's files are."""

    def size(self, name: str) -> int | None:
        """Tell how large a file is; None when there is none of that name."""
        ...

    def open(self, name: str) -> io.BufferedReader: ...


def read_file(container: Container, name: str, limit: int) -> bytes:
    """Read a whole small file."""
    size = container.size(name)
    if size is None:
        raise lacking(name)
    if size > limit:
        raise too_large(f"a {name} of {size:,} bytes")
    with container.open(name) as file:
        return file.read(limit)


def lacking(name: str) -> InvalidRequest:
    """Build the error for a file that the archive names and does not have."""
    return InvalidRequest(
        f"the archive has no {name}", hint="Save the image again; a copy may have been broken off."
    )


@contextmanager
def opened(archive: Path, scratch: Path, limits: Limits) -> Iterator[Container]:
    """Open what a person named: an image layout, or an archive of one or of docker's. `scratch` is room to unpack gzip in."""
    with _opened_file(archive) as file:
        if file is None:
            yield Directory(archive)
            return
        start = file.read(len(ZSTD))
        file.seek(0)
        if start == ZSTD:
            raise compressed_with_zstd("the archive")
        if not start.startswith(GZIP):
            yield Archive(file)
            return
        with tempfile.TemporaryFile(dir=scratch) as plain:
            _unpack(file, plain, min(limits.content, free_disk(scratch) - _SPARED))
            yield Archive(plain)


def compressed_with_zstd(what: str) -> InvalidRequest:
    """Build the error for the one compression in use that Python cannot undo."""
    return InvalidRequest(
        f"{what} is compressed with zstd, which pyro does not read",
        hint="Write it anew: skopeo copy --dest-compress-format gzip SOURCE oci:LAYOUT, or docker save.",
    )


@contextmanager
def _opened_file(path: Path) -> Iterator[IO[bytes] | None]:
    """Open a plain file; None stands for a directory. Whatever else it is (a pipe, a device) is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound(
            f"{path} is not there", hint="Name an archive of docker save, or an OCI layout."
        ) from None
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read", details=str(error)) from None
    kind = os.fstat(descriptor).st_mode
    with os.fdopen(descriptor, "rb") if stat.S_ISREG(kind) else _closing(descriptor) as file:
        if file is None and not stat.S_ISDIR(kind):
            raise InvalidRequest(
                f"{path} is neither a file nor a directory", hint="Save the image into a file first."
            )
        yield file


@contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def _unpack(packed: IO[bytes], plain: IO[bytes], most: int) -> None:
    left = most
    try:
        with gzip.GzipFile(fileobj=packed) as stream:
            while data := stream.read(_CHUNK):
                left -= len(data)
                if left < 0:
                    raise LimitReached(
                        f"the archive unpacks to more than {most >> 20} MiB",
                        hint="Free some disk space, or save the image without gzip.",
                    )
                plain.write(data)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # our own disk's
        raise InvalidRequest("the archive's gzip is damaged", details=str(error)) from None


class Directory:
    """An image layout as a directory of the person who names it; what its files hold is checked by digest."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def size(self, name: str) -> int | None:
        """Tell how large a file is."""
        path = self._path(name)
        try:
            return path.stat().st_size if path and path.is_file() else None
        except OSError:  # a name that is too long to be one
            return None

    def open(self, name: str) -> io.BufferedReader:
        """Open a file."""
        path = self._path(name)
        if path is None:
            raise lacking(name)
        return path.open("rb")

    def _path(self, name: str) -> Path | None:
        """Where a file of that name is; nowhere, when the name leads out of the layout."""
        return None if name.startswith("/") or ".." in name.split("/") else self._root / name


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
