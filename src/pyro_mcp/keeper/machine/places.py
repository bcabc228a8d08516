"""The directory of one machine: made before anything else of it, locked by its owner, found again when the owner is dead.

A directory whose lock can be taken belongs to nobody: whatever is in it was left behind by a crash.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.errors import Conflict, HostUnfit
from pyro_mcp.host.paths import Paths, private_directory
from pyro_mcp.host.processes import end_holders, identify
from pyro_mcp.host.waiting import WaitedTooLong, wait_until
from pyro_mcp.keeper.machine.logs import keep_logs

_LOCK = "lock"
_NEW = ".new-"
# A keeper that is just ending takes tens of milliseconds, a host that swaps some seconds.
_LEAVING_SECONDS = 20.0
# The kernel's limit for a Unix socket's name (sun_path), without the NUL at its end.
_LONGEST_SOCKET = 107


@dataclass(frozen=True, slots=True)
class Place:
    """A machine's directory and socket, held by `lock` (a descriptor that the keeper inherits)."""

    machine_id: str
    directory: Path
    socket: Path
    lock: int


def claim(paths: Paths, machine_id: str) -> Place:
    """Make and lock the directory of a new machine; appears under its name only once it is locked."""
    machines = private_directory(paths.state / "machines")
    runtime = private_directory(paths.runtime)
    socket = _socket(runtime, machine_id)
    unnamed = machines / f"{_NEW}{os.getpid()}-{machine_id}"
    unnamed.mkdir(mode=0o700)
    lock = os.open(unnamed / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    directory = machines / machine_id
    try:
        _give_name(paths, unnamed, directory)
    except BaseException:
        os.close(lock)
        _remove_tree(unnamed)
        raise
    return Place(machine_id, directory, socket, lock)


def _give_name(paths: Paths, unnamed: Path, directory: Path) -> None:
    """Rename, once the machine that had the name has ended: whoever started it may have been killed a moment ago."""

    def is_named() -> bool:
        try:
            unnamed.rename(directory)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            _clear(paths, directory.name)
            return False
        return True

    try:
        wait_until(is_named, what="the last machine to end", timeout=_LEAVING_SECONDS)
    except WaitedTooLong:
        raise Conflict(
            f"another machine of {directory.name} has not ended yet",
            hint="Ask again; `<<workspace_status>>` tells how it stands.",
        ) from None


def _socket(runtime: Path, machine_id: str) -> Path:
    socket = runtime / f"{machine_id}.sock"
    if len(os.fsencode(socket)) > _LONGEST_SOCKET:
        raise HostUnfit(
            f"{runtime} is too long a name for a directory of sockets",
            details=f"{socket} has more than {_LONGEST_SOCKET} bytes",
            hint="Set XDG_RUNTIME_DIR or PYRO_HOME to a directory with a shorter name.",
        )
    return socket


def release(place: Place) -> None:
    """Remove a machine's directory and socket and let go of its lock."""
    release_files(place)
    os.close(place.lock)


def release_files(place: Place) -> None:
    """Remove a machine's directory and socket while its lock is held."""
    if (
        place.directory.exists()
    ):  # its keeper did not live to remove it, and may have left a QEMU that nothing tied yet
        end_holders(place.directory.resolve(), but=_LOCK)
    with suppress(OSError):
        place.socket.unlink()
    remove(place.directory)


def remove(directory: Path) -> None:
    """Remove a machine's directory; its logs first go where they are wanted, if they are."""
    keep_logs(directory)
    _remove_tree(directory)


def _remove_tree(directory: Path) -> None:
    import shutil  # 4 ms, and every command looks for places

    shutil.rmtree(directory, ignore_errors=True)


def clear_left_behind(paths: Paths) -> list[str]:
    """Remove what machines left whose owners are dead; returns their ids. Costs a listing when there is nothing."""
    cleared = [
        machine_id for machine_id in _candidates(paths.state / "machines") if _clear(paths, machine_id)
    ]
    if cleared:
        from pyro_mcp.qemu.memory import forget_dead_holders

        forget_dead_holders(paths.runtime / "templates")
    return cleared


def _candidates(machines: Path) -> Iterator[str]:
    try:
        yield from sorted(place.name for place in machines.iterdir())
    except FileNotFoundError:
        return


def _clear(paths: Paths, name: str) -> bool:
    directory = paths.state / "machines" / name
    if name.startswith(_NEW):
        if identify(int(name.removeprefix(_NEW).split("-")[0])) is not None:
            return False  # just being made
        _remove_tree(directory)
        return True
    try:
        lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        _remove_tree(directory)  # half removed by somebody who was killed at it
        return True
    except OSError:  # descriptors are short, say: nothing is known of it
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return False
    end_holders(directory.resolve(), but=_LOCK)
    release(Place(name, directory, paths.runtime / f"{name}.sock", lock))
    return True
