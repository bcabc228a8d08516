"""Two ends of a line joined in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pyro_wire.events import Event
from pyro_wire.mux import Mux


@dataclass
class Line:
    """A host and a guest; `settle` carries bytes both ways until neither has any."""

    host: Mux = field(default_factory=lambda: Mux(initiator=True))
    guest: Mux = field(default_factory=lambda: Mux(initiator=False, facts={"agent": "test"}))

    def settle(self, chunk: int = 1 << 20) -> tuple[list[Event], list[Event]]:
        """Return what happened at the host and at the guest."""
        at_host: list[Event] = []
        at_guest: list[Event] = []
        while self.host.outgoing() or self.guest.outgoing():
            at_guest += carry(self.host, self.guest, chunk)
            at_host += carry(self.guest, self.host, chunk)
        return at_host, at_guest


def carry(source: Mux, sink: Mux, chunk: int = 1 << 20) -> list[Event]:
    """Move what waits at `source` to `sink`."""
    happened: list[Event] = []
    while head := source.outgoing():
        part = head[:chunk]
        happened += sink.receive(part)
        source.wrote(len(part))
    return happened


@pytest.fixture
def line() -> Line:
    """Return a line whose ends have greeted."""
    joined = Line()
    joined.host.hello("n1")
    joined.settle()
    return joined
