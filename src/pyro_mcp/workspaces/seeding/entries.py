"""What a seed is made of, before its contents are read."""

# Names are bytes here, so that every name is taken as it is; pathlib has none.
# ruff: noqa: PTH115

from __future__ import annotations

import errno
import os
import stat
from typing import Literal, NamedTuple

Kind = Literal["file", "directory", "symlink"]

_SPECIAL = {
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "FIFO",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class Stamp(NamedTuple):
    """What tells, without reading it, that a file is as it was."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Entry(NamedTuple):
    """One thing to seed. `origin` is the host's file to read, or `content` is all there is; `target` is a link's.

    `path` is relative to the seed, without `./`. `stored` is how much of the size is no hole. `private` says that nobody tracks
    it, so that it is withheld when its content looks like a secret.
    """

    path: bytes
    kind: Kind
    mode: int
    size: int
    mtime_ns: int
    origin: bytes | None = None
    stamp: Stamp | None = None
    content: bytes = b""
    target: bytes = b""
    private: bool = False
    stored: int = 0


class Unseedable(Exception):
    """This entry cannot be taken, and why."""


def from_stat(path: bytes, origin: bytes, found: os.stat_result, *, private: bool = False) -> Entry:
    """Describe a host's file, directory or link; raises Unseedable for anything else."""
    form = stat.S_IFMT(found.st_mode)
    mode = stat.S_IMODE(found.st_mode)
    if form == stat.S_IFREG:
        stamp = Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        stored = min(found.st_size, found.st_blocks * 512)
        return Entry(
            path,
            "file",
            mode,
            found.st_size,
            found.st_mtime_ns,
            origin,
            stamp,
            private=private,
            stored=stored,
        )
    if form == stat.S_IFDIR:
        return Entry(path, "directory", mode, 0, found.st_mtime_ns, origin)
    if form == stat.S_IFLNK:
        target = os.readlink(origin)
        return Entry(path, "symlink", 0o777, len(target), found.st_mtime_ns, origin, target=target)
    raise Unseedable(_SPECIAL.get(form, "neither file, directory nor link"))


def generated(path: bytes, content: bytes, mtime_ns: int) -> Entry:
    """Describe a file that we write ourselves."""
    return Entry(path, "file", 0o644, len(content), mtime_ns, content=content)


def why(error: OSError) -> str:
    """Say in a word or two why a file could not be read."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return "unreadable: permission denied"
    return f"unreadable: {(error.strerror or str(error)).lower()}"


def open_plain(origin: bytes) -> int:
    """Open a regular file for reading, following no link and waiting for nobody. Raises OSError or Unseedable."""
    descriptor = os.open(origin, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unseedable("it became something else while it was read")
    return descriptor


def read_small(origin: bytes, limit: int) -> bytes | None:
    """Read a small regular file of a repository; None when it is not there, not plain, or larger than `limit`."""
    try:
        descriptor = open_plain(origin)
    except (OSError, Unseedable):
        return None
    try:
        content = os.read(descriptor, limit + 1)
    finally:
        os.close(descriptor)
    return content if len(content) <= limit else None
