"""Read a host's file into an image, and notice when it changes meanwhile."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from pyro_mcp.workspaces.seeding.entries import Entry, Stamp, Unseedable, open_plain
from pyro_mcp.workspaces.seeding.sensitive import HEAD, sensitive
from pyro_mcp.workspaces.seeding.squashfs import BLOCK, ImageWriter
from pyro_mcp.workspaces.seeding.squashfs_tables import Extent

# A file up to this size is read whole before anything is written, so that reading it again costs nothing.
_SMALL = 8 << 20
_TRIES = 3
# The clock that stamps files ticks every few milliseconds: a file changed this shortly ago could change again unseen.
_TICK_NS = 50_000_000


class Withheld(Exception):
    """The content looks like a secret, and nobody tracks the file."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content as it is in the image. `mtime_ns` is as of the reading.

    `steady` says that it did not change while it was read, `settled` that its stamp would show a change from now on.
    """

    extent: Extent
    digest: bytes
    mtime_ns: int
    mode: int
    steady: bool
    settled: bool
    looks_secret: bool


def store_file(writer: ImageWriter, entry: Entry, *, withhold: bool) -> Content:
    """Copy a file into the image. Raises OSError, Unseedable, and, when it is to be withheld, Withheld."""
    if entry.origin is None:
        extent = writer.store(entry.content)
        digest = hashlib.sha256(entry.content).digest()
        return Content(
            extent, digest, entry.mtime_ns, entry.mode, steady=True, settled=True, looks_secret=False
        )
    descriptor = open_plain(entry.origin)
    try:
        for _ in range(_TRIES):
            read_at = time.time_ns()
            before = os.fstat(descriptor)
            found = _read_once(writer, descriptor, before)
            looks_secret = isinstance(found, bytes) and _looks_secret(entry, found)
            if looks_secret and withhold and entry.private:
                raise Withheld
            steady = _stamp(os.fstat(descriptor)) == _stamp(before)
            if found is not None and (steady or not isinstance(found, bytes)):
                break
        if found is None:
            raise Unseedable("it kept shrinking while it was read")
    finally:
        os.close(descriptor)
    if isinstance(found, bytes):
        found = (writer.store(found), hashlib.sha256(found).digest())
    settled = steady and _stamp(before) == entry.stamp and before.st_ctime_ns < read_at - _TICK_NS
    return Content(*found, before.st_mtime_ns, before.st_mode & 0o7777, steady, settled, looks_secret)


def _looks_secret(entry: Entry, content: bytes) -> bool:
    return b"/.git/" not in b"/" + entry.path and sensitive().by_content(entry.path, len(content), content)


def _read_once(
    writer: ImageWriter, descriptor: int, found: os.stat_result
) -> bytes | tuple[Extent, bytes] | None:
    """A small file's content; where a large one is in the image now, and its hash; None when it ended before its size."""
    size = found.st_size
    if size <= _SMALL and found.st_blocks * 512 >= size:
        content = _read(descriptor, size, 0)
        return content if len(content) == size else None
    digest = hashlib.sha256()
    try:
        extent = writer.store_blocks(size, _blocks(descriptor, size, digest))
    except ValueError:
        return None
    return extent, digest.digest()


def _blocks(descriptor: int, size: int, digest: hashlib._Hash) -> Iterator[bytes | None]:
    """The file block by block; one that lies in a hole is None and is not read."""
    zeros = bytes(BLOCK)
    data_at = 0
    for at in range(0, size, BLOCK):
        length = min(BLOCK, size - at)
        if data_at < at + length:
            data_at = _next_data(descriptor, max(at, data_at), size)
        if data_at >= at + length:
            digest.update(zeros[:length])
            yield None
        else:
            block = _read(descriptor, length, at)
            digest.update(block)
            yield block


def _next_data(descriptor: int, at: int, size: int) -> int:
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError:  # nothing but a hole until the end
        return size


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file's SHA-256, and whether it begins like a secret."""

    digest: bytes
    looks_secret: bool


def fingerprint(entry: Entry) -> Fingerprint:
    """Read a file for its hash alone. Raises OSError or Unseedable."""
    if entry.origin is None:
        return Fingerprint(hashlib.sha256(entry.content).digest(), looks_secret=False)
    descriptor = open_plain(entry.origin)
    with os.fdopen(descriptor, "rb") as file:
        size = os.fstat(descriptor).st_size
        head = os.pread(descriptor, HEAD, 0)
        looks_secret = sensitive().by_content(entry.path, size, head)
        return Fingerprint(hashlib.file_digest(file, "sha256").digest(), looks_secret)


def _read(descriptor: int, size: int, offset: int) -> bytes:
    """Read `size` bytes, fewer only where the file ends."""
    content = os.pread(descriptor, size, offset)
    while len(content) < size and (more := os.pread(descriptor, size - len(content), offset + len(content))):
        content += more
    return content


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
