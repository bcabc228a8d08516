"""A relay between two lines: in order, credit only for what went on, and at most one window in between."""

from __future__ import annotations

from tests.unit.pyro_wire.conftest import Line

from pyro_wire.events import Data, Ended
from pyro_wire.mux import WINDOW
from pyro_wire.relay import Relay


def joined() -> tuple[Line, Line, int, int, Relay]:
    """Return guest line, client line, their streams, and the relay of output from guest to client."""
    inner, outer = Line(), Line()
    for line in (inner, outer):
        line.host.hello("n")
        line.settle()
    ours, theirs = inner.host.open({}), outer.host.open({})
    inner.settle()
    outer.settle()
    return inner, outer, ours, theirs, Relay(inner.host, ours, outer.guest, theirs)


def test_a_slow_client_stops_the_guest_and_loses_nothing() -> None:
    inner, outer, ours, theirs, relay = joined()
    sent = received = unread = 0
    total = 6 * WINDOW
    held = 0
    while received < total:
        sent += inner.guest.send(ours, 1, bytes(min(total - sent, 50000)))
        for event in inner.settle()[0]:
            assert isinstance(event, Data)
            relay.data(event.channel, event.payload)
        for event in outer.settle()[0]:
            assert isinstance(event, Data)
            received += len(event.payload)
            unread += len(event.payload)
        held = max(held, sent - received)
        if not inner.guest.room(ours) or sent == total:
            outer.host.consumed(theirs, min(unread, 70000))
            unread -= min(unread, 70000)
            outer.settle()
            relay.pump()
    assert held <= 2 * WINDOW
    assert relay.idle


def test_ends_keep_their_place_behind_the_data() -> None:
    inner, outer, ours, theirs, relay = joined()
    outer.guest.send(theirs, 1, bytes(WINDOW - 3))
    inner.guest.send(ours, 1, b"0123456789")
    inner.settle()
    relay.data(1, b"0123456789")
    relay.end(1)
    assert not relay.idle
    events = outer.settle()[0]
    assert events[-1] == Data(theirs, 1, b"012")
    outer.host.consumed(theirs, WINDOW)
    outer.settle()
    assert relay.pump()
    assert outer.settle()[0] == [Data(theirs, 1, b"3456789"), Ended(theirs, 1)]


def test_a_client_that_is_gone_stalls_no_guest() -> None:
    inner, outer, ours, theirs, relay = joined()
    outer.guest.answer(theirs, {})
    for _ in range(8):
        inner.guest.send(ours, 1, bytes(WINDOW))
        for event in inner.settle()[0]:
            assert isinstance(event, Data)
            relay.data(event.channel, event.payload)
        inner.settle()
    assert relay.idle
    assert inner.guest.room(ours) >= WINDOW // 2
