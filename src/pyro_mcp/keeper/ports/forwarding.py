"""One connection of a client of this host, carried to a port inside the guest.

Nothing is read that the guest does not take, and at most one window waits for a client that does not read.
"""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from pyro_mcp.keeper.lines.loop import READ, WRITE, Loop
from pyro_mcp.keeper.lines.switchboard import Switchboard
from pyro_wire import events
from pyro_wire.faults import Fault
from pyro_wire.outgoing import Outgoing

_BLOCK = 64 * 1024
# Forwarded connections fill the line to a half at most: a request of anybody else finds room, and waits for little.
_SHARE = Outgoing.FULL // 2
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no patience: closing sends a RST


class Forward:
    """A connection from its acceptance to its end; calls `on_end` once."""

    def __init__(
        self,
        loop: Loop,
        board: Switchboard,
        connection: socket.socket,
        guest_port: int,
        on_end: Callable[[Forward], None],
    ) -> None:
        self._loop = loop
        self._board = board
        self._socket = connection
        self._on_end = on_end
        self._waiting: deque[memoryview] = deque()
        self._connected = self._said_all = self._heard_all = False
        self._told_end = self._answered = self._over = False
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        asked = board.ask_agent({"verb": "connect", "port": guest_port}, self._from_agent)
        self._stream = -1 if isinstance(asked, Fault) else asked
        if isinstance(asked, Fault):
            self.reset()

    @property
    def over(self) -> bool:
        """Tell whether it has ended."""
        return self._over

    def reset(self) -> None:
        """End it at once; the client is told by a reset that it did not end well."""
        if self._over:
            return
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        if self._stream in self._board.agent.mux:
            self._board.agent.mux.cancel(self._stream)
            self._board.agent.update()
        self._close()

    def _from_agent(self, event: events.Event) -> None:
        if self._over:
            self._swallow(event)
        elif isinstance(event, events.Failed):
            self.reset()
        else:
            self._take(event)
            self._write()
            self._watch()

    def _take(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            self._waiting.append(memoryview(event.payload))
        elif isinstance(event, events.Control):
            self._connected = True
        elif isinstance(event, events.Ended):
            self._heard_all = True
        elif isinstance(event, events.Answered):
            self._answered = self._heard_all = True

    def _swallow(self, event: events.Event) -> None:
        """What still comes for a connection that is over, until the agent has heard of that."""
        if isinstance(event, events.Data):
            self._board.agent.mux.consumed(event.stream, len(event.payload))

    def _watch(self) -> None:
        if self._over:
            return
        reading = READ if self._connected and not self._said_all and self._room() > 0 else 0
        self._loop.watch(self._socket, reading | (WRITE if self._waiting else 0), self._ready)

    def _room(self) -> int:
        mux = self._board.agent.mux
        return min(mux.room(self._stream), _SHARE - mux.backlog, _BLOCK)

    def _ready(self, possible: int) -> None:
        if possible & READ:
            self._read()
        if possible & WRITE:
            self._write()
        self._board.agent.update()
        self._watch()

    def _read(self) -> None:
        room = self._room()
        if room <= 0:
            return
        try:
            data = self._socket.recv(room)
        except BlockingIOError:
            return
        except OSError:
            self.reset()
            return
        mux = self._board.agent.mux
        if data:
            mux.send(self._stream, 0, data)
            return
        self._said_all = True
        if self._stream in mux:
            mux.end(self._stream, 0)

    def _write(self) -> None:
        if self._over:
            return
        try:
            while self._waiting:
                head = self._waiting[0]
                sent = self._socket.send(head)
                self._waiting.popleft()
                if sent < len(head):
                    self._waiting.appendleft(head[sent:])
                self._board.agent.mux.consumed(self._stream, sent)
            if self._answered:
                self._close()
            elif self._heard_all and not self._told_end:
                self._told_end = True
                self._socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            self.reset()

    def _close(self) -> None:
        self._over = True
        self._waiting.clear()
        self._loop.forget(self._socket)
        self._socket.close()
        self._on_end(self)
