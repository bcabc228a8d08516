"""Walk a directory of the workspace's root, name by name in order, without following links or entering other mounts."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from pyro_agent.disk import mounts, places
from pyro_agent.files.layers import Only

# Each level holds a descriptor. Deeper directories are named, not entered.
_DEEPEST = 200


class Entry(NamedTuple):
    """Something in a directory. `path` is relative to where the walk began, `folder` a descriptor of what it lies in."""

    path: str
    name: str
    status: os.stat_result
    folder: int


class Walk:
    """One walk; `left_out` counts what could not be looked at."""

    def __init__(
        self,
        path: str,
        *,
        depth: int = _DEEPEST,
        ignored: frozenset[str] = frozenset(),
        only: Only | None = None,
    ) -> None:
        """Prepare to walk what is below `path`, so many levels deep; names in `ignored` are passed over.

        With `only`, all but what it names is, too, and nothing else is looked at.
        """
        self._path = path
        self._only = only
        self._depth = min(depth, _DEEPEST)
        self._ignored = ignored
        self.left_out = 0

    def __iter__(self) -> Iterator[Entry]:
        """Give entries, a directory before what it holds; of a file, the file alone with an empty path."""
        root = os.open(mounts.ROOT, os.O_PATH | os.O_DIRECTORY)
        try:
            place = places.open_place(root, self._path)
        finally:
            os.close(root)
        try:
            status = os.fstat(place)
            if not stat.S_ISDIR(status.st_mode):
                yield Entry("", "", status, place)
                return
            self._devices = {status.st_dev, _device(f"{mounts.ROOT}{places.WORKSPACE}")}
            folder = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_DIRECTORY)
        finally:
            os.close(place)
        yield from self._below(folder, "", self._depth, self._only)

    def _below(self, folder: int, prefix: str, depth: int, only: Only | None) -> Iterator[Entry]:
        try:
            for name in sorted(os.listdir(folder)):
                if name in self._ignored or (name == places.STAGING and not prefix):
                    continue
                whole = only is None or prefix + name in only.whole
                if only is not None and not whole and prefix + name not in only.just:
                    continue
                try:
                    status = os.lstat(name, dir_fd=folder)
                except OSError:
                    self.left_out += 1
                    continue
                yield Entry(prefix + name, name, status, folder)
                if depth > 1 and stat.S_ISDIR(status.st_mode) and status.st_dev in self._devices:
                    yield from self._enter(folder, prefix, name, depth, None if whole else only)
        finally:
            os.close(folder)

    def _enter(self, folder: int, prefix: str, name: str, depth: int, only: Only | None) -> Iterator[Entry]:
        try:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        except OSError:
            self.left_out += 1
        else:
            yield from self._below(inner, f"{prefix}{name}/", depth - 1, only)


def open_file(entry: Entry) -> int:
    """Open a regular file of a walk to read it."""
    if not entry.name:
        return places.open_to_read(entry.folder)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(entry.name, flags, dir_fd=entry.folder)


def _device(path: str) -> int:
    try:
        return os.lstat(path).st_dev
    except OSError:
        return -1
