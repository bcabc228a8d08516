"""One end of a line in the keeper's loop: a socket, its mux, and what is allowed to pile up."""

from __future__ import annotations

import socket
from collections.abc import Callable

from pyro_mcp.keeper.lines.loop import READ, WRITE, Loop
from pyro_wire.events import Event
from pyro_wire.frames import ProtocolError
from pyro_wire.mux import Mux
from pyro_wire.outgoing import Outgoing

_READ_BYTES = 256 * 1024


class Line:
    """Moves bytes between a socket and a mux; tells its owner of events, of room, and of the end."""

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        mux: Mux,
        *,
        on_event: Callable[[Event], None],
        on_room: Callable[[], None],
        on_end: Callable[[str], None],
    ) -> None:
        connection.setblocking(False)
        self.mux = mux
        self._loop = loop
        self._socket = connection
        self._on_event = on_event
        self._on_room = on_room
        self._on_end = on_end
        self._paused = False
        self.open = True
        self.update()

    @property
    def congested(self) -> bool:
        """Tell whether so much waits to be written that nobody should add to it."""
        return self.mux.backlog > Outgoing.FULL

    def pause(self, paused: bool) -> None:
        """Stop or go on reading: what we do not read, the peer cannot pile up with us."""
        if self._paused != paused:
            self._paused = paused
            self.update()

    def update(self) -> None:
        """Write what can be written now and ask the loop for the rest; call it after every use of the mux."""
        if not self.open:
            return
        self._write()
        if self.open:
            reading = 0 if self._paused or self.congested else READ
            self._loop.watch(self._socket, reading | (WRITE if self.mux.backlog else 0), self._ready)

    def close(self) -> None:
        if self.open:
            self.open = False
            self._loop.forget(self._socket)
            self._socket.close()

    def _ready(self, possible: int) -> None:
        if possible & WRITE:
            self._write()
        if possible & READ and self.open:
            self._read()
        self.update()
        if possible & WRITE and self.open:
            self._on_room()

    def _write(self) -> None:
        try:
            while self.mux.backlog:
                self.mux.wrote(self._socket.send(self.mux.outgoing()))
        except BlockingIOError:
            pass
        except OSError as error:
            self.end(str(error))

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self.end(str(error))
            return
        if not data:
            self.end("the other side closed the line")
            return
        try:
            happened = self.mux.receive(data)
        except ProtocolError as error:
            self.end(f"the other side broke the protocol: {error}")
            return
        for event in happened:
            if self.open:
                self._on_event(event)

    def end(self, reason: str) -> None:
        """Close the line and tell its owner why."""
        if self.open:
            self.close()
            self._on_end(reason)
