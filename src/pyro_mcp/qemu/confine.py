"""The second wall: what a QEMU that its guest has taken over can still see and do. Command lines as data.

`full` is an unprivileged uid (when root starts it), its own user, mount, PID, network and IPC namespaces with only its own
files visible and read-only, no capabilities, a system call filter, and bounds on memory, descriptors, processes and what it
can write. `partial` is for hosts without user namespaces: Landlock in their place. Files and sockets come as inherited
descriptors, so nothing needs to be found by path.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyro_mcp.host.facts import boot_id, file_identity, remembered

Level = Literal["full", "partial", "none"]

# What QEMU may map beside the guest's memory: its libraries, translated code, thread stacks and device state.
_ADDRESS_SPACE_OVERHEAD_MIB = 4096
_OPEN_FILES = 512
# Threads of a machine's own uid: its vCPUs (8 at most) and the pools that serve its disks (64 workers).
_THREADS = 128
_LAUNCHER = Path(__file__).with_name("shut_in.py")
_FORMAT = 2
_FILE = "walls.json"


@dataclass(frozen=True, slots=True)
class Walls:
    """How one QEMU is confined: the level reached, and the uid it gets when root starts it."""

    level: Level
    uid: int | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What one QEMU must be left with: paths it reads, inherited descriptors it opens again, devices, room."""

    visible: tuple[str, ...]
    mem_mib: int
    reopened: tuple[int, ...] = ()
    devices: tuple[str, ...] = ()
    # The largest file it may write; None where it writes none of any size.
    file_bytes: int | None = None


def wall_in(command: list[str], walls: Walls, needs: Needs, *, filter_fd: int | None) -> list[str]:
    """Wrap QEMU's command line in the programs that confine it."""
    return [*_bounds(walls, needs), *_WRAPPERS[walls.level](walls, needs, filter_fd), *command]


def _bounds(walls: Walls, needs: Needs) -> Iterator[str]:
    space = (needs.mem_mib + _ADDRESS_SPACE_OVERHEAD_MIB) * 1024 * 1024
    yield from ("prlimit", f"--as={space}", f"--nofile={_OPEN_FILES}", "--core=0")
    if needs.file_bytes is not None:
        yield f"--fsize={needs.file_bytes}"
    if walls.uid is not None:
        yield f"--nproc={_THREADS}"  # counted per uid, so only where it has one of its own
    yield "--"


def _full(walls: Walls, needs: Needs, filter_fd: int | None) -> Iterator[str]:
    # setpriv first, then bubblewrap: the other way round the user namespace has no such uid.
    yield from _identity(walls, needs)
    yield from ("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1")
    yield from ("--cap-drop", "ALL", "--clearenv")
    for path in needs.visible:
        yield from ("--ro-bind", path, path)
    # /dev/null: QEMU probes for file locks on it. /proc: descriptors are opened again as /proc/self/fd/N.
    for path in ("/dev/null", *needs.devices):
        yield from ("--dev-bind", path, path)
    # Files in the namespace's own root would be memory that nothing bounds.
    yield from ("--proc", "/proc", "--remount-ro", "/")
    if filter_fd is not None:
        yield from ("--seccomp", str(filter_fd))
    yield "--"


def _partial(walls: Walls, needs: Needs, _: int | None) -> Iterator[str]:
    # The launcher changes the uid itself: it has to be read by whoever starts it, and pyro may lie in a closed home.
    yield from (sys.executable, "-I", "-S", str(_LAUNCHER))
    if walls.uid is not None:
        yield from ("--uid", str(walls.uid))
        yield from (f"--group={group}" for group in _device_groups(needs.devices))
    for path in needs.visible:
        yield from ("--read", path)
    for descriptor in needs.reopened:
        yield from ("--read", f"/proc/self/fd/{descriptor}")
    for path in ("/dev/null", *needs.devices):
        yield from ("--device", path)
    yield "--"


def _none(walls: Walls, needs: Needs, _: int | None) -> Iterator[str]:
    return _identity(walls, needs)


_WRAPPERS = {"full": _full, "partial": _partial, "none": _none}


def _identity(walls: Walls, needs: Needs) -> Iterator[str]:
    yield "setpriv"
    if walls.uid is not None:
        yield from ("--reuid", str(walls.uid), "--regid", str(walls.uid))
        groups = _device_groups(needs.devices)
        yield from ("--groups", ",".join(map(str, groups))) if groups else ("--clear-groups",)
    yield from ("--no-new-privs", "--pdeathsig", "KILL")


def _device_groups(devices: tuple[str, ...]) -> list[int]:
    """The groups whose members may use these devices: /dev/kvm belongs to one on most hosts."""
    found = [Path(device).stat() for device in devices if Path(device).exists()]
    return sorted({status.st_gid for status in found if status.st_gid and status.st_mode & stat.S_IWGRP})


def reachable_level(remember: Path) -> Level:
    """Give the highest level whose walls stand on this host; tried once per boot, user and bubblewrap."""
    bwrap = shutil.which("bwrap") or ""
    identity = f"{_FORMAT}:{boot_id()}:{file_identity(bwrap)}:{os.geteuid()}"
    level: Level = remembered(remember / _FILE, identity, lambda: {"level": _try_levels()})["level"]
    return level


def forget_level(remember: Path) -> None:
    """Let the level be tried anew: somebody may have mended the host."""
    (remember / _FILE).unlink(missing_ok=True)


def _try_levels() -> Level:
    levels: tuple[Level, ...] = ("full", "partial")
    return next((level for level in levels if try_level(level) is None), "none")


def try_level(level: Level) -> str | None:
    """Run a program behind the walls of this level. None when they stand, else what stood in the way."""
    walls = Walls(level, uid=_TRIAL_UID if os.geteuid() == 0 else None)
    missing = [name for name in _PROGRAMS[level] if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    trial = wall_in(["/usr/bin/true"], walls, Needs(_trial_files(), mem_mib=64), filter_fd=None)
    try:
        done = subprocess.run(trial, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    words = done.stderr.strip().splitlines()
    return words[-1] if words else f"status {done.returncode}"


_PROGRAMS = {
    "full": ("prlimit", "setpriv", "bwrap"),
    "partial": ("prlimit",),
    "none": ("prlimit", "setpriv"),
}
_TRIAL_UID = 0x70000000


def _trial_files() -> tuple[str, ...]:
    loaders = ("/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6", "/usr/bin/true")
    return tuple(path for path in loaders if Path(path).exists())
