"""One connection that a guest was allowed: bytes between the agent's stream and a socket, each at the other's pace."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from pyro_mcp.keeper.lines.loop import READ, WRITE, Loop
from pyro_mcp.keeper.lines.switchboard import Switchboard
from pyro_mcp.network.client_hello import Finding, server_name
from pyro_wire import events

_BLOCK = 64 * 1024
# Judges the name that TLS asks for: why not, or None.
JudgeName = Callable[[str], str | None]


class Backlog:
    """What waits for servers that do not read, of all connections of a machine: bounded as a whole."""

    MOST = 32 << 20

    def __init__(self) -> None:
        self.size = 0

    @property
    def full(self) -> bool:
        return self.size > self.MOST


class Outbound:
    """Relays until both sides have ended, or one of them breaks."""

    def __init__(
        self,
        loop: Loop,
        board: Switchboard,
        stream: int,
        connected: socket.socket,
        early: bytearray,
        backlog: Backlog,
        judge_name: JudgeName | None,
        on_end: Callable[[str | None], None],
    ) -> None:
        """`early` is what the guest has sent already, counted in `backlog`. `judge_name` sees what TLS asks for before a byte
        of it goes out; `on_end` gets why the connection was refused after all.
        """
        self._loop = loop
        self._board = board
        self._mux = board.agent.mux
        self._stream = stream
        self._socket = connected
        self._judge_name = judge_name
        self._on_end = on_end
        self._waiting = early  # from the guest: at most one window
        self._backlog = backlog
        self._guest_ended = False
        self._server_ended = False
        self._open = True
        self._send()

    def from_agent(self, event: events.Event) -> None:
        """Take what happens on the agent's stream."""
        if not self._open:
            return
        if isinstance(event, events.Data):
            self._waiting += event.payload
            self._backlog.size += len(event.payload)
            if self._backlog.full:
                self.close(reset=True, refused="too much waits for servers that do not read")
            self._send()
        elif isinstance(event, events.Ended):
            self._guest_ended = True
            self._send()
        elif isinstance(event, events.Cancelled | events.Failed):
            self.close(reset=True)
        elif isinstance(event, events.Credited):
            self._watch()

    def close(self, *, reset: bool, refused: str | None = None) -> None:
        """End it; `reset`: not in good order."""
        if not self._open:
            return
        self._open = False
        self._loop.forget(self._socket)
        self._socket.close()
        self._backlog.size -= len(self._waiting)
        self._waiting.clear()
        self._board.answer_agent(self._stream, {"reset": reset})
        self._on_end(refused)

    def _ready(self, possible: int) -> None:
        if possible & WRITE:
            self._send()
        if possible & READ and self._open:
            self._receive()
        self._board.agent.update()

    def _receive(self) -> None:
        room = self._mux.room(self._stream)
        if room:
            try:
                data = self._socket.recv(min(room, _BLOCK))
            except BlockingIOError:
                return
            except OSError:
                self.close(reset=True)
                return
            if data:
                self._mux.send(self._stream, 1, data)
            else:
                self._server_ended = True
                self._mux.end(self._stream, 1)
        self._settle()

    def _send(self) -> None:
        if not self._open:
            return
        if self._judge_name is not None and not self._may_go():
            self._watch()  # a server that speaks first is heard meanwhile
            return
        while self._waiting:
            try:
                with memoryview(self._waiting) as view:
                    count = self._socket.send(view[:_BLOCK])
            except BlockingIOError:
                break
            except OSError:
                self.close(reset=True)
                return
            del self._waiting[:count]
            self._backlog.size -= count
            self._mux.consumed(self._stream, count)
        if self._guest_ended and not self._waiting:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)
        self._settle()

    def _may_go(self) -> bool:
        """Judge the beginning of what the guest sends; nothing goes out before."""
        assert self._judge_name is not None
        found = server_name(bytes(self._waiting[:_BLOCK]))
        if found is Finding.MORE and not self._guest_ended:
            return False
        fault = None
        if isinstance(found, str):
            fault = self._judge_name(found)
        elif found is Finding.BROKEN or (found is Finding.MORE and self._waiting):
            fault = "what begins like TLS is not"
        if fault is not None:
            self.close(reset=True, refused=fault)
            return False
        self._judge_name = None
        return True

    def _settle(self) -> None:
        if self._guest_ended and self._server_ended and not self._waiting:
            self.close(reset=False)
        else:
            self._watch()

    def _watch(self) -> None:
        if not self._open:
            return
        reading = not self._server_ended and self._mux.room(self._stream) > 0
        writing = bool(self._waiting) and self._judge_name is None
        self._loop.watch(self._socket, (READ if reading else 0) | (WRITE if writing else 0), self._ready)
