"""System calls that Python 3.11 lacks, resolved when this is imported: before the machine is frozen."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from collections.abc import Callable
from typing import Any

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_NOATIME = 1024
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MNT_DETACH = 2
CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000

# Numbers of <asm/unistd_64.h>: the machine is always x86-64.
_SYS_PIVOT_ROOT = 155
_SYS_OPENAT2 = 437
_RESOLVE_IN_ROOT = 0x10

# <linux/random.h> and <linux/fs.h>
_RNDADDENTROPY = 0x40085203
_RNDRESEEDCRNG = 0x5207
_FIFREEZE = 0xC0045877
_FITHAW = 0xC0045878

_libc = ctypes.CDLL(None, use_errno=True)
_mount = _libc.mount
_umount2 = _libc.umount2
_unshare = _libc.unshare
_setns = _libc.setns
_syncfs = _libc.syncfs
_syscall = _libc.syscall
_mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_umount2.argtypes = (ctypes.c_char_p, ctypes.c_int)
_syscall.restype = ctypes.c_long


_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # <malloc.h>


def keep_freed_memory() -> None:
    """Let malloc keep a few MiB of what is freed instead of giving it back to the kernel.

    Frames are 64 KiB; fetched anew, each of them costs sixteen page faults, which emulation makes dear.
    """
    for parameter, size in (
        (_M_MMAP_THRESHOLD, 4 << 20),
        (_M_TRIM_THRESHOLD, 8 << 20),
        (_M_TOP_PAD, 1 << 20),
    ):
        _libc.mallopt(parameter, size)


def _call(function: Callable[..., Any], *arguments: object, about: str) -> int:
    result: int = function(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)} ({about})")
    return result


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str = "") -> None:
    """Mount, as mount(2); no program is started for it."""
    _call(
        _mount,
        source.encode(),
        target.encode(),
        None if kind is None else kind.encode(),
        flags,
        options.encode(),
        about=f"mounting {source} on {target}",
    )


def unmount(target: str, flags: int = 0) -> None:
    """Unmount, as umount2(2)."""
    _call(_umount2, target.encode(), flags, about=f"unmounting {target}")


def unshare(flags: int) -> None:
    """Move into new namespaces, as unshare(2)."""
    _call(_unshare, flags, about="unshare")


def enter_namespace(descriptor: int, kind: int) -> None:
    """Move into an existing namespace, as setns(2)."""
    _call(_setns, descriptor, kind, about="setns")


def pivot_root(new: str, old: str) -> None:
    """Change the root of this mount namespace, as pivot_root(2)."""
    _call(_syscall, _SYS_PIVOT_ROOT, new.encode(), old.encode(), about=f"pivot_root to {new}")


def open_in_root(root: int, path: str, flags: int) -> int:
    """Open a path with every link in it resolved as if the directory `root` were `/`."""
    how = struct.pack("=QQQ", flags | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
    return _call(_syscall, _SYS_OPENAT2, root, os.fsencode(path), how, len(how), about=f"opening {path}")


def sync_filesystem(descriptor: int) -> None:
    """Write everything of the filesystem to its disk, as syncfs(2)."""
    _call(_syncfs, descriptor, about="syncfs")


def freeze_filesystem(descriptor: int) -> None:
    """Let no write reach the disk until it is thawed."""
    fcntl.ioctl(descriptor, _FIFREEZE, 0)


def thaw_filesystem(descriptor: int) -> None:
    """Undo `freeze_filesystem`."""
    fcntl.ioctl(descriptor, _FITHAW, 0)


def add_entropy(fresh: bytes) -> None:
    """Credit fresh random bytes to the kernel and let its generator start again from them."""
    device = os.open("/dev/urandom", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(device, _RNDADDENTROPY, struct.pack("=ii", len(fresh) * 8, len(fresh)) + fresh)
        fcntl.ioctl(device, _RNDRESEEDCRNG)
    finally:
        os.close(device)
