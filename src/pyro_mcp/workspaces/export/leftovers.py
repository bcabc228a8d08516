"""Remove what exports that were killed left beside the places they were to go to."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from contextlib import suppress

_STAGED = re.compile(rb"\.pyro-[0-9a-f]{16}")


def staged_name() -> bytes:
    """Make up a name for what is not finished."""
    return b".pyro-" + secrets.token_hex(8).encode()


def remove(name: bytes, folder: int) -> None:
    """Remove a file or a directory with all in it, as far as that can be done."""
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)
    shutil.rmtree(name, dir_fd=folder, ignore_errors=True)


def remove_left_behind(folder: int) -> None:
    """Remove what killed exports of this user staged in a directory, and nothing that somebody still writes to."""
    with suppress(OSError):  # a directory that may be written to, but not read
        for name in filter(_STAGED.fullmatch, map(os.fsencode, os.listdir(folder))):
            with suppress(OSError):
                _remove_if_free(name, folder)


def _remove_if_free(name: bytes, folder: int) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid() and lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
            remove(name, folder)
    finally:
        os.close(descriptor)


def lock(descriptor: int, how: int) -> bool:
    """Lock; False where somebody else has it, or a file system that knows no locks."""
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        return False
    return True
