"""The agent's one thread: descriptors and deadlines, nothing else.

`select.epoll` and not `selectors`: the port needs edge triggering while the host is away.
"""

from __future__ import annotations

import heapq
import itertools
import select
import time
from collections.abc import Callable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
EDGE = select.EPOLLET
GONE = select.EPOLLHUP | select.EPOLLERR


class Timer:
    """A deadline that can be called off."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Let the deadline pass without effect."""
        self.callback = None


class Loop:
    """Call back when a descriptor is ready or a moment has come."""

    def __init__(self) -> None:
        self._epoll = select.epoll(sizehint=64)
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._masks: dict[int, int] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def watch(self, descriptor: int, mask: int, callback: Callable[[int], None]) -> None:
        """Call back with the ready mask. Errors and hang-ups are reported whatever the mask is."""
        if descriptor not in self._masks:
            self._epoll.register(descriptor, mask)
        elif self._masks[descriptor] != mask:
            self._epoll.modify(descriptor, mask)
        self._masks[descriptor] = mask
        self._callbacks[descriptor] = callback

    def forget(self, descriptor: int) -> None:
        """Stop watching; call it before the descriptor is closed."""
        if self._masks.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)
            del self._callbacks[descriptor]

    def after(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back once, that many seconds from now."""
        timer = Timer(callback)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), timer))
        return timer

    def step(self) -> None:
        """Wait for the next thing to happen and handle it."""
        for descriptor, ready in self._epoll.poll(self._patience()):
            callback = self._callbacks.get(descriptor)  # an earlier callback may have forgotten it
            if callback is not None:
                callback(ready)
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            due = heapq.heappop(self._timers)[2].callback
            if due is not None:
                due()

    def _patience(self) -> float | None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
