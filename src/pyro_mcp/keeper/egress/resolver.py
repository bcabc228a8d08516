"""Resolve names without holding up the loop: getaddrinfo(3) on a few threads of its own."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import ip_address
from queue import SimpleQueue

from pyro_mcp.keeper.lines.loop import READ, Loop
from pyro_mcp.network.destinations import Address

# A name server that does not answer holds a thread for half a minute; others then wait.
_THREADS = 8
_MOST_WAITING = 256
_KEPT_SECONDS = 20.0
_MOST_KEPT = 512
_MOST_ADDRESSES = 8

# The addresses, in the order in which they are to be tried; none where the name has none.
Then = Callable[[tuple[Address, ...]], None]


class Resolver:
    """Names to addresses, remembered for some seconds. The threads start when the first name is asked for."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._known: OrderedDict[str, tuple[tuple[Address, ...], float]] = OrderedDict()
        self._waiting: dict[str, list[Then]] = {}
        self._asked: SimpleQueue[str | None] = SimpleQueue()
        self._done: deque[tuple[str, tuple[Address, ...]]] = deque()
        self._wake = -1
        self._threads = 0

    def resolve(self, name: str, then: Then) -> bool:
        """Call `then` with the name's addresses, perhaps at once; False when too many names are waited for."""
        known = self._known.get(name)
        if known is not None and known[1] > time.monotonic():
            then(known[0])
            return True
        if name in self._waiting:
            self._waiting[name].append(then)
            return True
        if len(self._waiting) >= _MOST_WAITING:
            return False
        self._waiting[name] = [then]
        self._start_thread()
        self._asked.put(name)
        return True

    def close(self) -> None:
        """Let the threads end. One that waits for a name server ends with the process."""
        for _ in range(self._threads):
            self._asked.put(None)

    def _start_thread(self) -> None:
        if self._wake < 0:
            self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._loop.watch(self._wake, READ, lambda _: self._collect())
        if self._threads < min(_THREADS, len(self._waiting)):
            self._threads += 1
            threading.Thread(target=self._work, name="pyro-names", daemon=True).start()

    def _work(self) -> None:
        while (name := self._asked.get()) is not None:
            self._done.append((name, look_up(name)))
            os.eventfd_write(self._wake, 1)

    def _collect(self) -> None:
        os.eventfd_read(self._wake)
        while self._done:
            name, addresses = self._done.popleft()
            self._known[name] = (addresses, time.monotonic() + _KEPT_SECONDS)
            self._known.move_to_end(name)
            if len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
            for then in self._waiting.pop(name, []):
                then(addresses)


def look_up(name: str) -> tuple[Address, ...]:
    """Ask the host's resolver; no addresses for a name that has none, or that nobody knows."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    addresses = [ip_address(str(item[4][0]).partition("%")[0]) for item in found]
    return tuple(dict.fromkeys(addresses))[:_MOST_ADDRESSES]


def is_own(address: Address) -> bool:
    """Tell whether an address is this host's: the way to it then begins at that very address. Nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
            probe.connect((str(address), 9))
            return ip_address(str(probe.getsockname()[0]).partition("%")[0]) == address
    except OSError:
        return False
