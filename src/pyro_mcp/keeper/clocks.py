"""When a machine that nobody uses is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyro_mcp.keeper.lines.loop import Loop

# Requests that only look at a workspace do not keep it awake.
PASSIVE = frozenset({"keeper.status", "keeper.decisions", "keeper.services", "keeper.shell.list"})


class IdleClock:
    """Calls `on_idle` once nothing has been asked for `seconds` and nothing is going on."""

    def __init__(
        self, loop: Loop, seconds: int, busy: Callable[[], bool], on_idle: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._busy = busy
        self._on_idle = on_idle
        self._last = time.monotonic()
        loop.after(seconds, self._look)

    def touch(self) -> None:
        self._last = time.monotonic()

    def change(self, seconds: int) -> None:
        """Wait another length of time from now on."""
        self._seconds = seconds
        self.touch()
        self._loop.after(seconds, self._look)

    def _look(self) -> None:
        busy = self._busy()
        if busy:
            self.touch()
        left = self._last + self._seconds - time.monotonic()
        if busy or left > 0:
            self._loop.after(left, self._look)
        else:
            self._on_idle()
