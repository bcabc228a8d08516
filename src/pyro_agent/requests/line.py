"""The virtio port and the Mux over it: read what there is, write what fits, notice when the host comes and goes.

While the host is away the port reports a hang-up for ever, and read() gives 0: it is then watched for edges, so
that waiting costs nothing and the host's return wakes the loop.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from pyro_agent.base.log import say
from pyro_agent.base.loop import EDGE, GONE, READ, WRITE, Loop
from pyro_wire.events import Event
from pyro_wire.frames import ProtocolError
from pyro_wire.messages import Message
from pyro_wire.mux import Mux
from pyro_wire.outgoing import Outgoing

# The driver hands out one 4 KiB page per read; this many bytes are gathered before they are decoded.
_GATHERED = 128 * 1024
# The driver takes at most this much per write.
_WRITTEN = 32 * 1024


class Line:
    """The agent's end of the line; `on_events` gets what the host's bytes mean."""

    def __init__(
        self, loop: Loop, descriptor: int, facts: Message, on_events: Callable[[list[Event]], None]
    ) -> None:
        self.mux = Mux(initiator=False, facts=facts)
        self._loop = loop
        self._descriptor = descriptor
        self._on_events = on_events
        self._buffer = memoryview(bytearray(_GATHERED))
        self._away = False
        self._blocked = False  # the driver's queue towards the host is full
        os.set_blocking(descriptor, False)
        self.settle()

    def settle(self) -> None:
        """Write what waits, then watch for what is needed next; called once per turn of the loop."""
        if not self._blocked:
            self._write()
        if self._away:
            mask = READ | EDGE
        else:
            mask = READ if self.mux.backlog <= Outgoing.FULL else 0
            mask |= WRITE if self._blocked else 0
        self._loop.watch(self._descriptor, mask, self._ready)

    def _ready(self, ready: int) -> None:
        if ready & WRITE:
            self._blocked = False
        if ready & (READ | GONE):
            self._read()

    def _read(self) -> None:
        size, ended = self._gather()
        if size:
            self._away = False
            self._understand(self._buffer[:size])
        if ended and not self._away:
            self._away = True
            self._blocked = False
            self.mux.hung_up()
            say("the host has hung up")

    def _gather(self) -> tuple[int, bool]:
        """Fill the buffer with what is there; also tell whether the host is gone."""
        size = 0
        while size < _GATHERED:
            try:
                count = os.readv(self._descriptor, [self._buffer[size:]])
            except BlockingIOError:
                return size, False
            if not count:
                return size, True
            size += count
        return size, False

    def _understand(self, data: memoryview) -> None:
        try:
            events = self.mux.receive(data)
        except ProtocolError as error:
            # Only a greeting makes sense of this line again; until then its bytes are dropped.
            say(f"the host broke the protocol: {error}")
            self.mux.hung_up()
            return
        self._on_events(events)

    def _write(self) -> None:
        while head := self.mux.outgoing():
            try:
                self.mux.wrote(os.write(self._descriptor, head[:_WRITTEN]))
            except BlockingIOError:
                self._blocked = True
                return
            except OSError as error:
                say(f"writing to the host failed: {error}")
                self.mux.hung_up()
                return
