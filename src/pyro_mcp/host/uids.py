"""Unprivileged uids for machines that root starts: one each, so that a taken-over QEMU meets no other's files or processes."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pyro_mcp.errors import LimitReached
from pyro_mcp.host.paths import private_directory

# Above systemd's container range (up to 0x6FFFFFFF), below the 31-bit limit some programs have.
_FIRST = 0x70000000
_COUNT = 4096
_LOCKS = Path("/run/pyro-uids")


def claim_uid(locks: Path = _LOCKS) -> tuple[int, int]:
    """Give a free uid and the descriptor whose lock keeps it taken: it is free again when that is closed."""
    private_directory(locks)
    for offset in range(_COUNT):
        descriptor = os.open(locks / str(offset), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return _FIRST + offset, descriptor
    raise LimitReached(f"all {_COUNT} uids for machines are taken", hint="end some machines first")
