"""Put files onto the host: first whole beside their place, then by renaming, through directories that no link can exchange."""

# Names are bytes here, so that every name is written as it is; pathlib has none, and no directory descriptors.

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pyro_mcp.errors import Conflict, InvalidRequest, LimitReached, NotFound, PolicyDenied
from pyro_mcp.models.names import display_name
from pyro_mcp.workspaces.export.tree import Item

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_STAGED = re.compile(rb"\.pyro-[0-9a-f]{16}")
_RENAME_NOREPLACE = 1
Confirm = Callable[[str], object]
_libc = ctypes.CDLL(None, use_errno=True)


class Landing:
    """The place of an export. What is written goes into `.pyro-…` beside it first; `close` removes what is left of that.

    It is locked as long as this lives. One that can be locked was left by an export that was killed: the next one into
    the same directory removes it.
    """

    def __init__(self, output: Path, *, overwrite: bool, confirm: Confirm | None = None) -> None:
        """Open the directory that the export goes into; raises NotFound, Conflict and InvalidRequest.

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
                f"there is no directory {output.parent}", details=str(error), hint="Make it first."
            ) from error
        self._staged = b".pyro-" + secrets.token_hex(8).encode()
        self._held: int | None = None
        with self._alone():
            _remove_left_behind(self._above)
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
            raise Conflict(f"{self.output} is {what}", hint="Name another output_path.")
        if self._overwrite or (directory and not self._has_entries()):
            return
        raise Conflict(
            f"{self.output} is there already",
            hint="Name another output_path, or give --overwrite (overwrite=true).",
        )

    def _has_entries(self) -> bool:
        descriptor = os.open(self._name, _DIRECTORY, dir_fd=self._above)
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
            _lock(above, fcntl.LOCK_EX)
            yield
        finally:
            os.close(above)

    def _hold(self, descriptor: int) -> None:
        self._held = os.dup(descriptor)
        _lock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @contextmanager
    def file(self, mode: int) -> Iterator[int]:
        """Give a descriptor to write the one file of this export to."""
        with self._alone():
            file = os.open(self._staged, _NEW_FILE, 0o600, dir_fd=self._above)
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
            descriptor = os.open(self._staged, _DIRECTORY, dir_fd=self._above)
            self._hold(descriptor)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def land_directory(self, items: Mapping[bytes, Item], mode: int) -> None:
        """Give the directory its name, or move what is in it into the one that is there."""
        os.chmod(self._staged, mode, dir_fd=self._above)
        try:
            _rename_new(self._staged, self._above, self._name)
        except FileExistsError:
            self._merge(items)
        os.fsync(self._above)

    def _merge(self, items: Mapping[bytes, Item]) -> None:
        source = os.open(self._staged, _DIRECTORY, dir_fd=self._above)
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
            with _parent(target, path) as (folder, name):
                if folder is None:
                    continue
                try:
                    there = os.lstat(name, dir_fd=folder)
                except FileNotFoundError:
                    continue
            if (item.kind == "dir") != stat.S_ISDIR(there.st_mode):
                raise Conflict(
                    f"{display_name(path)} is there already and is of another kind",
                    hint="Remove it on the host, or name another output_path.",
                )
            if item.kind != "dir" and not self._overwrite:
                raise Conflict(f"{display_name(path)} is there already", hint="Give overwrite=true.")

    def _make(self, target: int, path: bytes, mode: int) -> None:
        with _parent(target, path) as (folder, name), suppress(FileExistsError):
            os.mkdir(name, mode, dir_fd=folder)

    def _move(self, source: int, target: int, path: bytes) -> None:
        with _parent(source, path) as (origin, name), _parent(target, path) as (folder, _):
            if origin is None or folder is None:
                raise Conflict(f"{display_name(path)}: its directory is gone", hint="Export once more.")
            self._land(name, origin, name, folder)

    def _open_below(self, folder: int, name: bytes) -> int:
        try:
            return os.open(name, _DIRECTORY, dir_fd=folder)
        except OSError as error:
            raise PolicyDenied(
                f"{self.output} is a link or was exchanged for one", details=str(error)
            ) from error

    def _land(self, name: bytes, folder: int, to: bytes, to_folder: int) -> None:
        if self._overwrite:
            os.rename(name, to, src_dir_fd=folder, dst_dir_fd=to_folder)
            return
        try:
            _rename_new(name, folder, to, to_folder)
        except FileExistsError as error:
            raise Conflict(f"{display_name(to)} is there already", hint="Give overwrite=true.") from error

    def close(self) -> None:
        """Remove what did not land."""
        _remove(self._staged, self._above)
        if self._held is not None:
            os.close(self._held)
        os.close(self._above)


def _remove(name: bytes, folder: int) -> None:
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)
    shutil.rmtree(name, dir_fd=folder, ignore_errors=True)


def _remove_left_behind(folder: int) -> None:
    """Remove what killed exports of this user staged in a directory, and nothing that somebody still writes to."""
    with suppress(OSError):  # a directory that may be written to, but not read
        for name in filter(_STAGED.fullmatch, map(os.fsencode, os.listdir(folder))):
            with suppress(OSError):
                _remove_if_free(name, folder)


def _remove_if_free(name: bytes, folder: int) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid() and _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
            _remove(name, folder)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, how: int) -> bool:
    """Lock; False where somebody else has it, or a file system that knows no locks."""
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        return False
    return True


@contextmanager
def _parent(top: int, path: bytes) -> Iterator[tuple[int | None, bytes]]:
    """Open the directory that a path lies in, following no link; None when it is not there."""
    *folders, name = path.split(b"/")
    at = os.dup(top)
    try:
        for folder in folders:
            try:
                below = os.open(folder, _DIRECTORY, dir_fd=at)
            except FileNotFoundError:
                yield None, name
                return
            except OSError as error:
                raise Conflict(
                    f"{display_name(path)} would be written through a link or a file",
                    details=str(error),
                    hint="Remove it on the host, or name another output_path.",
                ) from error
            os.close(at)
            at = below
        yield at, name
    finally:
        os.close(at)


@contextmanager
def _new_file(name: bytes, folder: int, mode: int) -> Iterator[int]:
    descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        yield descriptor
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


@contextmanager
def new_file(top: int, path: bytes, mode: int) -> Iterator[int]:
    """Give a descriptor to write a new file below a staged directory."""
    with _parent(top, path) as (folder, name):
        assert folder is not None, "directories come before what is in them"
        with told_full(), _new_file(name, folder, mode) as descriptor:
            yield descriptor


def put(top: int, path: bytes, item: Item) -> None:
    """Make a directory or link below a staged directory."""
    with _parent(top, path) as (folder, name), told_full():
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


def _rename_new(name: bytes, folder: int, to: bytes, to_folder: int | None = None) -> None:
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
