"""The keeper's event loop: descriptors and timers, one thread, nothing that blocks."""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Callable
from typing import Protocol

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class HasDescriptor(Protocol):
    def fileno(self) -> int: ...


class Loop:
    """Calls back when a descriptor is ready or a time has come, until `stop`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._running = False

    def watch(self, watched: HasDescriptor | int, interest: int, ready: Callable[[int], None]) -> None:
        """Call `ready` with what is possible whenever `watched` is; an interest of 0 stops watching."""
        key = watched if isinstance(watched, int) else watched.fileno()
        known = key in self._selector.get_map()
        if not interest:
            if known:
                self._selector.unregister(key)
        elif known:
            self._selector.modify(key, interest, ready)
        else:
            self._selector.register(key, interest, ready)

    def forget(self, watched: HasDescriptor | int) -> None:
        """Stop watching, before a descriptor is closed."""
        self.watch(watched, 0, lambda _: None)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Call once, `seconds` from now."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), call))

    def stop(self) -> None:
        self._running = False

    def run(self) -> None:
        """Serve until `stop`."""
        self._running = True
        while self._running:
            for key, possible in self._selector.select(self._pause()):
                # An earlier call of this round may have closed or exchanged what this one is about.
                if self._selector.get_map().get(key.fd) is key and self._running:
                    key.data(possible)
            self._call_due_timers()

    def _pause(self) -> float | None:
        return None if not self._timers else max(0.0, self._timers[0][0] - time.monotonic())

    def _call_due_timers(self) -> None:
        now = time.monotonic()
        while self._running and self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
