"""Put an export onto the host: first whole beside its place, then by renaming."""

# Names are bytes here, so that every name is written as it is; pathlib has none, and no directory descriptors.

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pyro_mcp.errors import Conflict, InvalidRequest, NotFound, PolicyDenied
from pyro_mcp.models.names import display_name
from pyro_mcp.workspaces.export.below import DIRECTORY, NEW_FILE, parent_of, rename_new
from pyro_mcp.workspaces.export.leftovers import lock, remove, remove_left_behind, staged_name
from pyro_mcp.workspaces.export.tree import Item

Confirm = Callable[[str], object]


class Landing:
    """The place of an export. What is written goes into `.pyro-…` beside it first; `close` removes what is left of that.

    It is locked as long as this lives. One that can be locked was left by an export that was killed: the next one into
    the same directory removes it.
    """

    def __init__(self, output: Path, *, overwrite: bool | None, confirm: Confirm | None = None) -> None:
        """Open the directory that the export goes into; raises NotFound, Conflict and InvalidRequest.

        `overwrite` is None where nobody can ask for it.

        `confirm` is told where that really is, and raises when it must not be: from there on no link can lead elsewhere.
        """
        if output.name in ("", ".", ".."):
            raise InvalidRequest(f"{output} names no file", hint="Name the file or directory to make.")
        self.output = output
        self._overwrite = overwrite
        self._name = os.fsencode(output.name)
        try:
            # Above the output links are the user's own.
            self._above = os.open(output.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise NotFound(
                f"there is no directory {output.parent}", details=error.strerror, hint="Make it first."
            ) from error
        self._staged = staged_name()
        self._held: int | None = None
        with self._alone():
            remove_left_behind(self._above)
        self.real = os.readlink(f"/proc/self/fd/{self._above}").encode("utf-8", "surrogateescape")  # noqa: PTH115
        self.real = self.real.rstrip(b"/") + b"/" + self._name
        if confirm is not None:
            try:
                confirm(os.fsdecode(self.real))
            except BaseException:
                os.close(self._above)
                raise

    def require_free(self, *, directory: bool) -> None:
        """Raise Conflict when something would be overwritten that must not be."""
        try:
            there = os.lstat(self._name, dir_fd=self._above)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(there.st_mode) != directory:
            what = "a directory" if stat.S_ISDIR(there.st_mode) else "not a directory"
            raise Conflict(f"{self.output} is {what}", hint="Name another <<output_path>>.")
        _refuse_special(str(self.output), there)
        if self._overwrite or (directory and not self._has_entries()):
            return
        raise Conflict(
            f"{self.output} is there already",
            hint="Name another <<output_path>>."
            + ("" if self._overwrite is None else " Or give <<overwrite=true>>."),
        )

    def _has_entries(self) -> bool:
        descriptor = os.open(self._name, DIRECTORY, dir_fd=self._above)
        try:
            return bool(os.listdir(descriptor))  # noqa: PTH208
        finally:
            os.close(descriptor)

    # -- staging ----------------------------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody take for left behind what is made here and not yet locked."""
        above = os.open(f"/proc/self/fd/{self._above}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            lock(above, fcntl.LOCK_EX)
            yield
        finally:
            os.close(above)

    def _hold(self, descriptor: int) -> None:
        self._held = os.dup(descriptor)
        lock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @contextmanager
    def file(self, mode: int) -> Iterator[int]:
        """Give a descriptor to write the one file of this export to."""
        with self._alone():
            file = os.open(self._staged, NEW_FILE, 0o600, dir_fd=self._above)
            self._hold(file)
        try:
            yield file
            os.fchmod(file, mode)
            os.fsync(file)
        finally:
            os.close(file)

    def land_file(self) -> None:
        """Give the file its name."""
        self._land(self._staged, self._above, self._name, self._above)
        os.fsync(self._above)

    @contextmanager
    def directory(self) -> Iterator[int]:
        """Give a descriptor of a new directory to write the export into."""
        with self._alone():
            os.mkdir(self._staged, 0o700, dir_fd=self._above)
            descriptor = os.open(self._staged, DIRECTORY, dir_fd=self._above)
            self._hold(descriptor)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def land_directory(self, items: Mapping[bytes, Item], mode: int) -> None:
        """Give the directory its name, or move what is in it into the one that is there."""
        os.chmod(self._staged, mode, dir_fd=self._above)
        try:
            rename_new(self._staged, self._above, self._name)
        except FileExistsError:
            self._merge(items)
        os.fsync(self._above)

    def _merge(self, items: Mapping[bytes, Item]) -> None:
        source = os.open(self._staged, DIRECTORY, dir_fd=self._above)
        target = self._open_below(self._above, self._name)
        try:
            self._refuse_collisions(target, items)
            for path, item in items.items():
                if item.kind == "dir":
                    self._make(target, path, item.mode)
                else:
                    self._move(source, target, path)
        finally:
            os.close(source)
            os.close(target)

    def _refuse_collisions(self, target: int, items: Mapping[bytes, Item]) -> None:
        """Look first, so that what cannot be done is said before anything is moved."""
        for path, item in items.items():
            with parent_of(target, path) as (folder, name):
                if folder is None:
                    continue
                try:
                    there = os.lstat(name, dir_fd=folder)
                except FileNotFoundError:
                    continue
            if (item.kind == "dir") != stat.S_ISDIR(there.st_mode):
                raise Conflict(
                    f"{display_name(path)} is there already and is of another kind",
                    hint="Remove it on the host, or name another <<output_path>>.",
                )
            _refuse_special(display_name(path), there)
            if item.kind != "dir" and not self._overwrite:
                raise Conflict(f"{display_name(path)} is there already", hint="Give <<overwrite=true>>.")

    def _make(self, target: int, path: bytes, mode: int) -> None:
        with parent_of(target, path) as (folder, name), suppress(FileExistsError):
            os.mkdir(name, mode, dir_fd=folder)

    def _move(self, source: int, target: int, path: bytes) -> None:
        with parent_of(source, path) as (origin, name), parent_of(target, path) as (folder, _):
            if origin is None or folder is None:
                raise Conflict(f"{display_name(path)}: its directory is gone", hint="Export once more.")
            self._land(name, origin, name, folder)

    def _open_below(self, folder: int, name: bytes) -> int:
        try:
            return os.open(name, DIRECTORY, dir_fd=folder)
        except OSError as error:
            raise PolicyDenied(
                f"{self.output} is a link or was exchanged for one", details=str(error)
            ) from error

    def _land(self, name: bytes, folder: int, to: bytes, to_folder: int) -> None:
        if self._overwrite:
            os.rename(name, to, src_dir_fd=folder, dst_dir_fd=to_folder)
            return
        try:
            rename_new(name, folder, to, to_folder)
        except FileExistsError as error:
            raise Conflict(f"{display_name(to)} is there already", hint="Give <<overwrite=true>>.") from error

    def close(self) -> None:
        """Remove what did not land."""
        remove(self._staged, self._above)
        if self._held is not None:
            os.close(self._held)
        os.close(self._above)


def _refuse_special(name: str, there: os.stat_result) -> None:
    """Put nothing in the place of a device, a FIFO or a socket: that would be no new content, but the end of it."""
    if stat.S_IFMT(there.st_mode) not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise Conflict(f"{name} is a device, a FIFO or a socket", hint="Name another <<output_path>>.")
