"""Open what a person named as an image: a directory, an archive, or an archive in gzip."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pyro_mcp.environments.oci.archive import Archive
from pyro_mcp.environments.oci.container import GZIP, ZSTD, Container, compressed_with_zstd, lacking
from pyro_mcp.environments.oci.limits import Limits
from pyro_mcp.errors import InvalidRequest, LimitReached, NotFound
from pyro_mcp.host.room import free_disk

_CHUNK = 1 << 20
# Left free while an archive is unpacked beside itself.
_SPARED = 256 << 20


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
        if path is None or self.size(name) is None:
            raise lacking(name)
        return path.open("rb")

    def _path(self, name: str) -> Path | None:
        """Where a file of that name is; nowhere, when the name leads out of the layout."""
        return None if name.startswith("/") or ".." in name.split("/") else self._root / name
