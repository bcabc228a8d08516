"""New contents on their way into the tree: written beside it, on the same mount, so that a rename puts them in place."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from pyro_agent.base import system
from pyro_agent.disk import mounts, places
from pyro_agent.transactions.operations import Operation
from pyro_agent.workers.desk import Desk

# So few files are written out one by one; for more, and whatever else the machine is writing, one call is cheaper.
_ONE_BY_ONE = 8
_BLOCK = 256 * 1024
# Other transactions end at the same moment that often at most, or something removes what we make.
_TRIES = 20
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Staged:
    """A new content. `path` is where it lies, seen from the workspace's root."""

    path: str
    sha256: str | None
    size: int


class Staging:
    """The new contents of one transaction."""

    def __init__(self) -> None:
        self.name = f"{time.time_ns():x}-{os.getpid()}"
        self._folders: set[str] = set()
        self._count = 0
        self._files: list[str] = []

    def receive(self, operation: Operation, desk: Desk) -> Staged:
        """Write the bytes that follow an operation."""
        # A guess by its words; where links make it wrong, `at_mount` copies it.
        top = places.WORKSPACE if places.below_workspace(operation.path) is not None else ""
        path = self._new_path(top)
        digest, left = hashlib.sha256(), operation.size
        with places.told(operation.path):
            file = self._create(path)
            try:
                while left:
                    data = desk.take(min(left, _BLOCK))
                    digest.update(data)
                    _write(file, data)
                    left -= len(data)
            finally:
                os.close(file)
        return Staged(path, digest.hexdigest(), operation.size)

    def link(self, target: str, top: str) -> Staged:
        """Make a link."""
        path = self._new_path(top)
        real = places.on_agents_side(path)
        _in_folder(real, lambda: os.symlink(target, real))
        return Staged(path, None, len(os.fsencode(target)))

    def at_mount(self, staged: Staged, top: str) -> Staged:
        """Return it where it can be renamed to its place: below this top."""
        if staged.path.startswith(f"{top}/{places.STAGING}/"):
            return staged
        path = self._new_path(top)
        out = self._create(path)
        try:
            with open(places.on_agents_side(staged.path), "rb", buffering=0) as file:
                while data := file.read(_BLOCK):
                    _write(out, data)
        finally:
            os.close(out)
        return replace(staged, path=path)

    def settle(self) -> None:
        """See to it that all contents are on the disk."""
        if len(self._files) > _ONE_BY_ONE:
            disk = os.open(mounts.DISK, os.O_RDONLY | os.O_DIRECTORY)
            try:
                system.sync_filesystem(disk)
            finally:
                os.close(disk)
            return
        for path in self._files:
            file = os.open(path, os.O_RDONLY)
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def clear(self) -> None:
        """Remove what was not put in place."""
        for folder in self._folders:
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                continue
            except OSError:
                self._clear(folder)

    def _clear(self, folder: str) -> None:
        for number in range(self._count):
            with suppress(FileNotFoundError):
                os.unlink(f"{folder}/{self.name}-{number}")
        with suppress(OSError):
            os.rmdir(folder)  # another transaction may be using it

    def _new_path(self, top: str) -> str:
        folder = f"{top}/{places.STAGING}"
        self._folders.add(places.on_agents_side(folder))
        self._count += 1
        return f"{folder}/{self.name}-{self._count - 1}"

    def _create(self, path: str) -> int:
        real = places.on_agents_side(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        file = _in_folder(real, lambda: os.open(real, flags, 0o644))
        self._files.append(real)
        return file


def _in_folder(path: str, make: Callable[[], _Made]) -> _Made:
    """Make something in a folder that may have to be made first, or again: the transaction that made it removes it."""
    for _ in range(_TRIES):
        try:
            return make()
        except FileNotFoundError:
            with suppress(FileExistsError):
                os.mkdir(path.rpartition("/")[0], 0o700)
    return make()


def _write(file: int, data: bytes) -> None:
    written = os.write(file, data)
    while written < len(data):
        written += os.write(file, memoryview(data)[written:])
