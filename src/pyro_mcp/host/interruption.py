"""Ask a running command to stop, from a signal handler or another thread.

Like progress, it is said and not passed along: a front end installs an Interruption around its call, and whoever waits for
the guest's command watches the current one beside its other descriptors.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Literal

Wish = Literal["interrupt", "kill", "leave"]


class Interruption:
    """One wish, which may grow: first to interrupt the command (SIGINT), asked again to kill it. Or to leave it: whoever
    waits stops waiting, and a command that outlives its caller goes on.

    `fileno()` becomes readable when a wish comes in; `take()` then tells it and waits for the next. Whoever acts on
    wishes says so with `heeded()`; outside of that block request() answers False, and the asker stops by other means.
    """

    def __init__(self) -> None:
        self.wish: Wish | None = None
        self._heeded = False
        self._wakeup = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def request(self, *, kill: bool = False) -> bool:
        """Ask, and tell whether anybody acts on it. Safe in a signal handler and on any thread."""
        self.wish = "kill" if kill or self.wish else "interrupt"
        os.eventfd_write(self._wakeup, 1)
        return self._heeded

    def leave(self) -> None:
        """Ask whoever waits for a command to wait no longer. Safe on any thread; a wish to kill stands."""
        self.wish = self.wish if self.wish == "kill" else "leave"
        os.eventfd_write(self._wakeup, 1)

    def fileno(self) -> int:
        """The descriptor to wait on beside others."""
        return self._wakeup

    def take(self) -> Wish | None:
        """Tell the strongest wish so far, and make the descriptor unreadable until the next one."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._wakeup)
        return self.wish

    @contextmanager
    def heeded(self) -> Iterator["Interruption"]:
        """Act on wishes inside the block, those of before included."""
        self._heeded = True
        try:
            yield self
        finally:
            self._heeded = False

    def close(self) -> None:
        """Free the descriptor; nobody may ask afterwards."""
        os.close(self._wakeup)


_current: ContextVar[Interruption | None] = ContextVar("pyro_interruption", default=None)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Let the calls inside the block be stopped through the Interruption that it gives."""
    interruption = Interruption()
    token = _current.set(interruption)
    try:
        yield interruption
    finally:
        _current.reset(token)
        interruption.close()


def current_interruption() -> Interruption | None:
    """The Interruption of the call that is being served, if its front end offers one."""
    return _current.get()
