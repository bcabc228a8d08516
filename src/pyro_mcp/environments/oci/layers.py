"""One layer as a stream of unpacked bytes, counted and hashed as they pass."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol, cast

from pyro_mcp.environments.oci.container import GZIP, ZSTD, Container, compressed_with_zstd
from pyro_mcp.environments.oci.image import Layer
from pyro_mcp.environments.oci.limits import Spent
from pyro_mcp.environments.oci.tarstream import unsound
from pyro_mcp.errors import InvalidRequest

_CHUNK = 1 << 20


class _File(Protocol):
    def read(self, size: int, /) -> bytes: ...


class LayerStream:
    """What tarstream reads from. `spent` is told of every byte that anybody gets."""

    def __init__(self, file: _File, spent: Spent | None) -> None:
        self.position = 0
        self.sha256 = hashlib.sha256()
        self._file = file
        self._spent = spent

    def read(self, size: int) -> bytes:
        """Give exactly so many bytes, fewer at the end only."""
        parts = []
        while size and (data := self._file.read(size)):
            self._count(data)
            parts.append(data)
            size -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def pieces(self, size: int) -> Iterator[bytes]:
        """Give so many bytes in pieces of bearable size."""
        while size > 0:
            data = self.read(min(size, _CHUNK))
            if not data:
                raise unsound("a layer ends in the middle of a file")
            size -= len(data)
            yield data

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        for _ in self.pieces(size):
            pass

    def drain(self) -> None:
        """Read what stands behind the archive's end: the digest is over that, too."""
        while self.read(_CHUNK):
            pass

    def _count(self, data: bytes) -> None:
        if self._spent is not None:
            self._spent.content(len(data))
        self.position += len(data)
        self.sha256.update(data)


class _Hashed:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.sha256 = hashlib.sha256()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.sha256.update(data)
        return data


@contextmanager
def unpacked(container: Container, layer: Layer, spent: Spent | None = None) -> Iterator[LayerStream]:
    """Give a layer for the block, and read it to its end. Raises InvalidRequest when it is not what its digests say."""
    with container.open(layer.path) as file:
        start = file.peek(len(ZSTD))
        if start.startswith(ZSTD):
            raise compressed_with_zstd(layer.path)
        packed = _Hashed(file)
        is_packed = start.startswith(GZIP)
        stream = LayerStream(gzip.GzipFile(fileobj=cast("IO[bytes]", packed)) if is_packed else file, spent)
        try:
            yield stream
            stream.drain()
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InvalidRequest(f"{layer.path} is damaged", details=str(error)) from None
    of_file = packed.sha256 if is_packed else stream.sha256
    if layer.digest is not None and of_file.hexdigest() != layer.digest:
        raise _wrong(layer, layer.digest, of_file.hexdigest())
    if stream.sha256.hexdigest() != layer.diff_id:
        raise _wrong(layer, layer.diff_id, stream.sha256.hexdigest())


def _wrong(layer: Layer, wanted: str, found: str) -> InvalidRequest:
    return InvalidRequest(
        f"{layer.path} is not what the image says",
        details=f"wanted sha256:{wanted}\nfound  sha256:{found}",
        hint="Save the image again; nothing of this one was kept.",
    )
