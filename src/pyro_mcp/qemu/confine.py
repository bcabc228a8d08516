"""The second wall: what a QEMU that its guest has taken over can still see and do. Command lines as data.

`full` is an unprivileged uid, its own user, mount, PID and network namespaces with only its own files visible and
read-only, no capabilities, no sockets of its own, and bounds on memory and descriptors. Files and sockets come as
inherited descriptors, so nothing needs to be found by path.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyro_mcp.host.facts import boot_id, file_identity, remembered

Level = Literal["full", "partial", "none"]

# What QEMU may map beside the guest's memory: its libraries, translated code, thread stacks and device state.
_ADDRESS_SPACE_OVERHEAD_MIB = 4096
_OPEN_FILES = 512


@dataclass(frozen=True, slots=True)
class Walls:
    """How one QEMU is confined: the level reached, and the uid it gets when root starts it."""

    level: Level
    uid: int | None = None


def wall_in(
    command: list[str], walls: Walls, *, visible: tuple[str, ...], mem_mib: int, filter_fd: int | None
) -> list[str]:
    """Wrap QEMU's command line in the programs that confine it."""
    return [
        *_bounds(mem_mib),
        *_identity(walls),
        *(_namespaces(visible, filter_fd) if walls.level == "full" else ()),
        *command,
    ]


def _bounds(mem_mib: int) -> list[str]:
    space = (mem_mib + _ADDRESS_SPACE_OVERHEAD_MIB) * 1024 * 1024
    return ["prlimit", f"--as={space}", f"--nofile={_OPEN_FILES}", "--core=0", "--"]


def _identity(walls: Walls) -> list[str]:
    if walls.uid is None:
        return ["setpriv", "--pdeathsig", "KILL", "--no-new-privs"]
    # setpriv first, then bubblewrap: the other way round the user namespace has no such uid.
    uid = str(walls.uid)
    return [
        "setpriv",
        "--reuid",
        uid,
        "--regid",
        uid,
        "--clear-groups",
        "--no-new-privs",
        "--pdeathsig",
        "KILL",
    ]


def _namespaces(visible: tuple[str, ...], filter_fd: int | None) -> list[str]:
    binds = [argument for path in visible for argument in ("--ro-bind", path, path)]
    seccomp = ["--seccomp", str(filter_fd)] if filter_fd is not None else []
    return [
        "bwrap",
        *(
            "--unshare-all",
            "--die-with-parent",
            "--new-session",
            "--as-pid-1",
            "--cap-drop",
            "ALL",
            "--clearenv",
        ),
        *binds,
        # /dev/null: QEMU probes for file locks on it. /proc: descriptors are opened again as /proc/self/fd/N.
        *("--dev-bind", "/dev/null", "/dev/null", "--proc", "/proc"),
        *seccomp,
        "--",
    ]


def reachable_level(remember: Path) -> Level:
    """Give the highest level whose walls stand on this host; tried once per boot and bubblewrap."""
    bwrap = shutil.which("bwrap") or ""
    identity = f"{boot_id()}:{file_identity(bwrap)}:{os.geteuid()}"
    level: Level = remembered(remember / "walls.json", identity, lambda: {"level": _try_walls()})["level"]
    return level


def _try_walls() -> Level:
    if shutil.which("setpriv") is None or shutil.which("prlimit") is None:
        return "none"
    if shutil.which("bwrap") is None:
        return "none"
    walls = Walls("full", uid=_TRIAL_UID if os.geteuid() == 0 else None)
    trial = wall_in(["/usr/bin/true"], walls, visible=_trial_files(), mem_mib=64, filter_fd=None)
    try:
        done = subprocess.run(trial, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "none"
    return "full" if done.returncode == 0 else "none"


_TRIAL_UID = 0x70000000


def _trial_files() -> tuple[str, ...]:
    loaders = ("/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6", "/usr/bin/true")
    return tuple(path for path in loaders if Path(path).exists())


# -- the system call filter -------------------------------------------------------------------------------------------

# Unix sockets are not shut in by a network namespace, and a process may always be traced by its own uid: so these are
# denied by number (x86-64). QEMU holds every socket it needs before the filter is laid.
_DENIED = {
    "socket": 41, "connect": 42, "bind": 49, "listen": 50, "accept": 43, "accept4": 288, "socketpair": 53,
    "ptrace": 101, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308,
    "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "kexec_load": 246, "init_module": 175,
    "finit_module": 313, "delete_module": 176, "add_key": 248, "request_key": 249, "keyctl": 250,
    "process_vm_readv": 310, "process_vm_writev": 311, "open_by_handle_at": 304, "io_uring_setup": 425,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "pidfd_getfd": 438,
}  # fmt: skip
# execve stays: bubblewrap makes one after the filter is laid, and QEMU's own -sandbox denies it from then on.

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _DENY_EPERM, _DENY_ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_ARCH_X86_64, _X32_BIT, _CLONE3 = 0xC000003E, 0x40000000, 435
_NUMBER_OFFSET, _ARCH_OFFSET = 0, 4


def system_call_filter() -> bytes:
    """Compile the filter that bubblewrap lays before QEMU starts: classic BPF, eight bytes an instruction."""
    program = [
        _instruction(_LOAD, value=_ARCH_OFFSET),
        _instruction(_JUMP_EQUAL, value=_ARCH_X86_64, if_true=1),
        _instruction(_RETURN, value=_KILL),
        _instruction(_LOAD, value=_NUMBER_OFFSET),
        _instruction(_JUMP_AT_LEAST, value=_X32_BIT, if_false=1),
        _instruction(_RETURN, value=_KILL),
        # clone3 hides its flags from us behind a pointer: without it the C library falls back on clone.
        _instruction(_JUMP_EQUAL, value=_CLONE3, if_false=1),
        _instruction(_RETURN, value=_DENY_ENOSYS),
    ]
    for number in sorted(_DENIED.values()):
        program.append(_instruction(_JUMP_EQUAL, value=number, if_false=1))
        program.append(_instruction(_RETURN, value=_DENY_EPERM))
    program.append(_instruction(_RETURN, value=_ALLOW))
    return b"".join(program)


def _instruction(code: int, *, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
