"""What the agent asks of the host."""

from types import SimpleNamespace
from typing import cast

from pyro_agent.requests.line import Line
from pyro_agent.requests.outward import Outward
from pyro_wire.mux import MAX_STREAMS, Mux


def test_what_was_forgotten_counts_until_the_host_has_closed_it() -> None:
    """Connections made and dropped while the host is slow: the line must not run out of streams."""
    host, guest = Mux(initiator=True), Mux(initiator=False)
    outward = Outward()
    outward.connect(cast("Line", SimpleNamespace(mux=guest)))
    assert outward.ask({}, print) is None  # nobody is there
    host.hello("n")
    carry(host, guest)
    asked = [outward.ask({}, print) for _ in range(MAX_STREAMS)]
    for stream in asked:
        outward.forget(stream or 0)
    assert None in asked
    assert outward.ask({}, print) is None
    carry(guest, host)
    for stream in host.streams:
        host.answer(stream, {})
    carry(host, guest)
    assert outward.ask({}, print) is not None


def carry(sender: Mux, receiver: Mux) -> None:
    """Everything that waits on one side, and nothing of what is said to it."""
    while head := sender.outgoing():
        receiver.receive(bytes(head))
        sender.wrote(len(head))
