"""Make files below an open directory, through directories that no link can exchange."""

# Names are bytes here, so that every name is written as it is; pathlib has none, and no directory descriptors.

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyro_mcp.errors import Conflict, LimitReached
from pyro_mcp.models.names import display_name
from pyro_mcp.workspaces.export.tree import Item

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_RENAME_NOREPLACE = 1
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def parent_of(top: int, path: bytes) -> Iterator[tuple[int | None, bytes]]:
    """Open the directory that a path lies in, following no link; None when it is not there."""
    *folders, name = path.split(b"/")
    at = os.dup(top)
    try:
        for folder in folders:
            try:
                below = os.open(folder, DIRECTORY, dir_fd=at)
            except FileNotFoundError:
                yield None, name
                return
            except OSError as error:
                raise Conflict(
                    f"{display_name(path)} would be written through a link or a file",
                    details=str(error),
                    hint="Remove it on the host, or name another <<output_path>>.",
                ) from error
            os.close(at)
            at = below
        yield at, name
    finally:
        os.close(at)


@contextmanager
def _new_file(name: bytes, folder: int, mode: int) -> Iterator[int]:
    descriptor = os.open(name, NEW_FILE, 0o600, dir_fd=folder)
    try:
        yield descriptor
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


@contextmanager
def new_file(top: int, path: bytes, mode: int) -> Iterator[int]:
    """Give a descriptor to write a new file below a staged directory."""
    with parent_of(top, path) as (folder, name):
        assert folder is not None, "directories come before what is in them"
        with told_full(), _new_file(name, folder, mode) as descriptor:
            yield descriptor


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    """Write all of it: a file that is nearly full takes less than it is given."""
    with memoryview(data) as rest:
        at = 0
        while at < len(rest):
            at += os.write(descriptor, rest[at:])


def put(top: int, path: bytes, item: Item) -> None:
    """Make a directory or link below a staged directory."""
    with parent_of(top, path) as (folder, name), told_full():
        if item.kind == "dir":
            os.mkdir(name, item.mode, dir_fd=folder)
        else:
            os.symlink(item.target, name, dir_fd=folder)


@contextmanager
def told_full() -> Iterator[None]:
    """Say in our terms that the host's disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise LimitReached(
            "the host's disk is too full for the export", details=str(error), hint="Export a smaller part."
        ) from error


def rename_new(name: bytes, folder: int, to: bytes, to_folder: int | None = None) -> None:
    """Rename, unless there is something of that name."""
    target = folder if to_folder is None else to_folder
    if _libc.renameat2(folder, name, target, to, _RENAME_NOREPLACE) == 0:
        return
    number = ctypes.get_errno()
    if number not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(number, os.strerror(number), os.fsdecode(to))
    # A file system that cannot: the moment between the two is the best there is.
    try:
        os.lstat(to, dir_fd=target)
    except FileNotFoundError:
        os.rename(name, to, src_dir_fd=folder, dst_dir_fd=target)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fsdecode(to))
