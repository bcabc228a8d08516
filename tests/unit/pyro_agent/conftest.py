"""An agent without a guest: its loop and its end of the line, joined to a host's Mux in this process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from pyro_agent.base.loop import Loop
from pyro_agent.requests.line import Line
from pyro_wire.events import Event
from pyro_wire.mux import Mux


@dataclass
class Joined:
    """A host's Mux, the agent's Line, and the socket pair that stands in for the port."""

    port: socket.socket
    host_end: socket.socket
    loop: Loop = field(default_factory=Loop)
    host: Mux = field(default_factory=lambda: Mux(initiator=True))
    at_agent: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line = Line(self.loop, self.port.fileno(), {"agent": "test"}, self.at_agent.extend)

    def turn(self) -> list[Event]:
        """Let the host write, the agent take one turn, and the host read what is there."""
        while head := self.host.outgoing():
            self.host.wrote(self.host_end.send(head))
        self.loop.after(0, lambda: None)  # so that a turn with nothing to do ends, too
        self.loop.step()
        self.line.settle()
        try:
            return self.host.receive(self.host_end.recv(1 << 20))
        except BlockingIOError:
            return []


@pytest.fixture
def joined() -> Iterator[Joined]:
    """Return a line over a socket pair, not yet greeted."""
    port, host_end = socket.socketpair()
    host_end.setblocking(False)
    with port, host_end:
        yield Joined(port, host_end)
