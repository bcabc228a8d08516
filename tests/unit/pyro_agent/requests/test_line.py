"""The agent's end of the line: greetings, answers, back-pressure, a host that breaks the rules or goes away."""

from __future__ import annotations

from tests.unit.pyro_agent.conftest import Joined

from pyro_wire.events import Answered, Data, Greeted, Opened
from pyro_wire.outgoing import Outgoing


def greet(joined: Joined) -> None:
    joined.host.hello("n")
    while not joined.host.greeted:
        joined.turn()


def test_a_host_is_greeted_and_answered(joined: Joined) -> None:
    joined.host.hello("n")
    happened = joined.turn()
    assert happened == [Greeted({"agent": "test", "nonce": "n", "version": 1})]
    joined.host.open({"verb": "ping"})
    joined.turn()
    assert joined.at_agent[-1] == Opened(1, {"verb": "ping"})
    joined.line.mux.answer(1, {"ok": True})
    assert joined.turn() == [Answered(1, {"ok": True})]


def test_bulk_data_arrives_whole_though_the_host_reads_slowly(joined: Joined) -> None:
    greet(joined)
    stream = joined.host.open({})
    joined.turn()
    sent = received = 0
    while received < 3_000_000:
        block = bytes([sent % 251]) * 70_000
        sent += joined.line.mux.send(stream, 1, block)
        for event in joined.turn():
            assert isinstance(event, Data)
            received += len(event.payload)
            joined.host.consumed(stream, len(event.payload))
        assert joined.line.mux.backlog <= Outgoing.FULL


def test_a_host_that_breaks_the_protocol_is_dropped_until_it_greets_again(joined: Joined) -> None:
    greet(joined)
    joined.host_end.send(b"\0" * 100)
    joined.turn()
    assert not joined.line.mux.greeted
    joined.host.hello("again")
    assert [type(event) for event in joined.turn()] == [Greeted]


def test_a_host_that_hangs_up_is_forgotten_without_spinning(joined: Joined) -> None:
    greet(joined)
    joined.host.open({"verb": "ping"})
    joined.turn()
    joined.host_end.send(b"PW\x02")  # half a frame
    joined.host_end.shutdown(1)
    joined.turn()
    joined.turn()
    assert not joined.line.mux.greeted
    assert not joined.line.mux.streams
    quiet: list[int] = []
    joined.loop.after(0.01, lambda: quiet.append(1))
    turns = 0
    while not quiet:
        joined.loop.step()
        joined.line.settle()
        turns += 1
    assert turns <= 3
