"""TCP connections of the guest's programs, whatever they were meant for: each becomes a stream to the host, which decides.

The kernel has accepted a connection by the time it is seen here, so a refusal is a reset right after the connect.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Callable
from functools import partial

from pyro_agent.base.log import say
from pyro_agent.base.loop import GONE, READ, WRITE, Loop
from pyro_agent.network import road
from pyro_agent.requests.outward import Outward
from pyro_wire import events

# More wait in the kernel's queue of the listener: they are slow, not refused.
_MOST = 200
_BLOCK = 64 * 1024
# <linux/netfilter_ipv4.h>, <linux/netfilter_ipv6/ip6_tables.h>: the same number at both levels.
_ORIGINAL_DST = 80


class Redirect:
    """The listeners, and the connections they gave."""

    def __init__(self, loop: Loop, outward: Outward, name_of: Callable[[str], str | None]) -> None:
        self._loop = loop
        self._outward = outward
        self._name_of = name_of
        self._listeners = road.listening(road.CONNECTIONS_PORT, socket.SOCK_STREAM)
        self._open = 0
        self._watch(READ)

    def closed(self) -> None:
        """Learn that a connection has ended: there is room for another."""
        self._open -= 1
        self._watch(READ)

    def _watch(self, mask: int) -> None:
        for listener in self._listeners:
            self._loop.watch(listener.fileno(), mask, partial(self._accept, listener))

    def _accept(self, listener: socket.socket, _: int) -> None:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return  # it has gone again
        accepted.setblocking(False)
        try:
            address, port = original_destination(accepted)
        except OSError as error:
            say(f"a connection without destination: {error}")
            accepted.close()
            return
        self._open += 1
        Connection(self._loop, self._outward, accepted, self.closed).begin(
            self._name_of(address) or address, port
        )
        if self._open >= _MOST:
            self._watch(0)


class Connection:
    """One TCP connection and the stream that carries it."""

    def __init__(
        self, loop: Loop, outward: Outward, accepted: socket.socket, on_closed: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._outward = outward
        self._socket = accepted
        self._on_closed = on_closed
        self._stream = 0
        self._inward: deque[memoryview] = deque()  # from the host, at most one window of it
        self._program_ended = False
        self._host_ended = False
        self._told_end = False  # of what the host sends
        self._over = False  # the host has answered: what waits is still delivered
        self._open = True

    def begin(self, host: str, port: int) -> None:
        """Ask the host for it."""
        stream = self._outward.ask({"verb": "egress.connect", "host": host, "port": port}, self._on_event)
        if stream is None:
            self._close(reset=True)
            return
        self._stream = stream
        self._watch()

    def _on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            if self._open:
                self._inward.append(memoryview(event.payload))
                self._deliver()
            else:
                self._outward.consumed(self._stream, len(event.payload))
        elif isinstance(event, events.Ended):
            self._host_ended = True
            self._deliver()
        elif isinstance(event, events.Answered):
            self._over = True
            if event.message.get("reset") is True:
                self._close(reset=True)
            else:
                self._deliver()
        elif isinstance(event, events.Failed | events.Cancelled):
            self._close(reset=True)
        elif isinstance(event, events.Credited):
            self._watch()

    def _ready(self, ready: int) -> None:
        if ready & WRITE:
            self._deliver()
        if self._open and ready & READ:
            self._take()
        elif self._open and ready & GONE and self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._give_up()

    def _take(self) -> None:
        """Read what the program sent, as much as the host has room for."""
        room = self._outward.room(self._stream)
        if room:
            try:
                data = self._socket.recv(min(room, _BLOCK))
            except BlockingIOError:
                return
            except OSError:
                self._give_up()
                return
            if data:
                self._outward.send(self._stream, data)
            else:
                self._program_ended = True
                self._outward.end(self._stream)
        self._settle()

    def _deliver(self) -> None:
        """Write what the host sent, as much as the program takes."""
        while self._open and self._inward:
            head = self._inward[0]
            try:
                count = self._socket.send(head)
            except BlockingIOError:
                break
            except OSError:
                self._give_up()
                return
            self._outward.consumed(self._stream, count)
            if count < len(head):
                self._inward[0] = head[count:]
                break
            self._inward.popleft()
        self._settle()

    def _settle(self) -> None:
        """Pass an end on once everything before it is delivered, then watch for what is needed next."""
        if not self._open:
            return
        if not self._inward and (self._over or (self._host_ended and self._program_ended)):
            self._close(reset=False)
            return
        if not self._inward and self._host_ended and not self._told_end:
            self._told_end = True
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                self._give_up()
                return
        self._watch()

    def _watch(self) -> None:
        if not self._open:
            return
        full = not self._outward.room(self._stream)
        reading = not (self._program_ended or self._over or full)
        self._outward.each_turn(self._stream, self._watch if full and not self._over else None)
        mask = (READ if reading else 0) | (WRITE if self._inward else 0)
        self._loop.watch(self._socket.fileno(), mask, self._ready)

    def _give_up(self) -> None:
        """The program has dropped it."""
        self._outward.forget(self._stream)
        self._close(reset=True)

    def _close(self, *, reset: bool) -> None:
        if not self._open:
            return
        self._open = False
        self._inward.clear()
        self._outward.each_turn(self._stream, None)
        self._loop.forget(self._socket.fileno())
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
        self._on_closed()


def original_destination(accepted: socket.socket) -> tuple[str, int]:
    """Tell where a redirected connection was going."""
    if accepted.family == socket.AF_INET:
        raw = accepted.getsockopt(socket.SOL_IP, _ORIGINAL_DST, 16)
        return socket.inet_ntop(socket.AF_INET, raw[4:8]), int.from_bytes(raw[2:4], "big")
    raw = accepted.getsockopt(socket.IPPROTO_IPV6, _ORIGINAL_DST, 28)
    return socket.inet_ntop(socket.AF_INET6, raw[8:24]), int.from_bytes(raw[2:4], "big")
