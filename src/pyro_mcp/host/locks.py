"""Locks between processes (and threads), held by the kernel: they end with their holder, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyro_mcp.errors import Conflict, HostUnfit
from pyro_mcp.host.waiting import WaitedTooLong, wait_until
from pyro_mcp.progress import step


@contextmanager
def exclusive(path: Path, *, what: str, timeout: float | None = None) -> Iterator[None]:
    """Hold the lock file `path` inside the block; `what` completes "waiting for …" when another holder must end first.

    Not reentrant: a thread that takes it twice waits for itself. The file stays behind, for removing a lock file while
    somebody opens it gives two holders. Raises Conflict after `timeout` seconds (None: waits as long as it takes), and
    HostUnfit where nothing can be written.
    """
    descriptor = _open(path)
    try:
        if not _try(descriptor):
            _wait(descriptor, what, timeout)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` inside the block, unless somebody else does: the answer tells."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _try(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HostUnfit(
            f"{path.parent} cannot be written to, and something has to be made there",
            details=str(error),
            hint="Free room on that disk or make it writable, or set PYRO_HOME to a directory that is.",
        ) from error


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(descriptor: int, what: str, timeout: float | None) -> None:
    with step(f"waiting for {what}"):
        try:
            wait_until(lambda: _try(descriptor), what=what, timeout=timeout)
        except WaitedTooLong as late:
            raise Conflict(
                late.brief, hint="Another pyro process is at it: wait for it, or end it."
            ) from None
