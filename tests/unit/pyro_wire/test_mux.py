"""Streams over one line: opening, data under credit, closing, greeting anew, and peers that break the rules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.pyro_wire.conftest import Line, carry

from pyro_wire import messages
from pyro_wire.events import (
    Answered,
    Cancelled,
    Control,
    Credited,
    Data,
    Ended,
    Event,
    Failed,
    Greeted,
    Opened,
)
from pyro_wire.faults import Fault
from pyro_wire.frames import MAX_PAYLOAD, Kind, ProtocolError, encode
from pyro_wire.mux import DATA_PIECE, MAX_STREAMS, VERSION, WINDOW, Mux
from pyro_wire.outgoing import Outgoing

EMPTY = messages.pack({})


def hello(nonce: str = "n") -> bytes:
    return encode(Kind.HELLO, 0, messages.pack({"nonce": nonce, "version": 1}))


def test_a_greeting_is_echoed_with_the_responders_facts() -> None:
    line = Line()
    line.host.hello("n1", {"host": "h"})
    at_host, at_guest = line.settle()
    assert at_guest == [Greeted({"host": "h", "nonce": "n1", "version": VERSION})]
    assert at_host == [Greeted({"agent": "test", "nonce": "n1", "version": VERSION})]
    assert line.host.greeted
    assert line.guest.greeted


@pytest.mark.parametrize("chunk", [1, 13, 1 << 20])
def test_a_request_from_opening_to_answer(line: Line, chunk: int) -> None:
    stream = line.host.open({"verb": "exec"})
    assert line.host.send(stream, 0, b"in") == 2
    line.host.end(stream, 0)
    line.host.control(stream, {"signal": "INT"})
    assert line.settle(chunk)[1] == [
        Opened(1, {"verb": "exec"}),
        Data(1, 0, b"in"),
        Ended(1, 0),
        Control(1, {"signal": "INT"}),
    ]
    line.guest.send(stream, 1, b"out")
    line.guest.send(stream, 2, b"err")
    line.guest.end(stream, 1)
    line.guest.answer(stream, {"exit_code": 0})
    assert line.settle(chunk)[0] == [
        Data(1, 1, b"out"),
        Data(1, 2, b"err"),
        Ended(1, 1),
        Answered(1, {"exit_code": 0}),
    ]
    assert not line.host.streams
    assert not line.guest.streams


def test_the_responder_may_open_streams_of_its_own(line: Line) -> None:
    assert line.guest.open({"verb": "egress"}) == 2
    assert line.guest.send(2, 0, b"to the host") == 11
    assert line.settle()[0] == [Opened(2, {"verb": "egress"}), Data(2, 0, b"to the host")]
    line.host.send(2, 1, b"back")
    line.host.fail(2, Fault("policy_denied", "no"))
    assert line.settle()[1] == [Data(2, 1, b"back"), Failed(2, Fault("policy_denied", "no"))]


def test_cancelling_is_told_once_and_still_answered(line: Line) -> None:
    stream = line.host.open({"verb": "exec"})
    line.host.cancel(stream)
    line.host.cancel(stream)
    assert line.settle()[1] == [Opened(1, {"verb": "exec"}), Cancelled(1)]
    line.guest.answer(stream, {"killed": True})
    assert line.settle()[0] == [Answered(1, {"killed": True})]


def test_data_stops_at_the_window_and_goes_on_with_credit(line: Line) -> None:
    stream = line.host.open({})
    line.settle()
    assert line.guest.send(stream, 1, bytes(WINDOW + 1)) == WINDOW
    assert line.guest.room(stream) == 0
    got = [e for e in line.settle()[0] if isinstance(e, Data)]
    assert sum(len(e.payload) for e in got) == WINDOW
    assert {len(e.payload) for e in got[:-1]} == {DATA_PIECE}
    line.host.consumed(stream, 1000)
    assert line.settle() == ([], [])  # too little to be worth a frame
    line.host.consumed(stream, WINDOW // 2)
    assert line.settle()[1] == [Credited(stream)]
    assert line.guest.room(stream) == WINDOW // 2 + 1000


def test_a_stalled_stream_stalls_no_other(line: Line) -> None:
    stalled, other = line.host.open({}), line.host.open({})
    line.settle()
    line.guest.send(stalled, 1, bytes(WINDOW))
    assert line.guest.send(other, 1, b"still here") == 10
    assert line.settle()[0][-1] == Data(other, 1, b"still here")


def test_everything_consumed_always_leaves_room_to_go_on(line: Line) -> None:
    stream = line.host.open({})
    line.settle()
    moved = 0
    while moved < 5 * WINDOW:
        accepted = line.guest.send(stream, 1, bytes(33333))
        assert accepted, "sender starved although everything was consumed"
        for event in line.settle()[0]:
            assert isinstance(event, Data)
            line.host.consumed(stream, len(event.payload))
        line.settle()
        moved += accepted


def test_a_congested_line_takes_no_more_data_until_it_is_written(line: Line) -> None:
    streams = [line.host.open({}) for _ in range(8)]
    line.settle()
    sent = [line.guest.send(stream, 1, bytes(WINDOW)) for stream in streams]
    assert sum(sent) <= Outgoing.FULL
    assert sent[-1] == 0
    assert line.guest.backlog >= Outgoing.FULL - MAX_PAYLOAD
    line.settle()
    assert line.guest.room(streams[-1]) == WINDOW


def test_more_cannot_be_consumed_than_was_received(line: Line) -> None:
    stream = line.host.open({})
    line.guest.receive(b"")
    with pytest.raises(ValueError, match="consumed"):
        line.host.consumed(stream, 1)


def test_frames_that_crossed_the_answer_are_ignored(line: Line) -> None:
    stream = line.host.open({})
    line.settle()
    line.guest.answer(stream, {})
    line.host.send(stream, 0, b"late")
    line.host.end(stream, 0)
    line.host.control(stream, {})
    line.host.cancel(stream)
    assert line.settle() == ([Answered(stream, {})], [])
    line.host.consumed(stream, 5)  # no effect, no error
    assert line.host.send(stream, 0, b"later still") == 0


def test_a_new_greeting_starts_afresh(line: Line) -> None:
    stream = line.host.open({"verb": "old"})
    line.settle()
    line.guest.send(stream, 1, b"for the old host")
    events = line.guest.receive(encode(Kind.OPEN, 3, EMPTY) + hello("n2"))
    assert events == [Greeted({"nonce": "n2", "version": 1})]
    assert not line.guest.streams
    host = Mux(initiator=True)
    host.hello("n2")
    host.wrote(len(host.outgoing()))
    assert [type(e) for e in carry(line.guest, host)] == [Greeted]
    assert host.open({"verb": "new"}) == 1
    assert carry(host, line.guest) == [Opened(1, {"verb": "new"})]


def test_half_a_frame_of_a_host_that_hung_up_is_forgotten(line: Line) -> None:
    line.guest.receive(encode(Kind.OPEN, 1, messages.pack({"verb": "x" * 500}))[:100])
    line.guest.hung_up()
    assert not line.guest.greeted
    assert line.guest.receive(hello("n2")) == [Greeted({"nonce": "n2", "version": 1})]


def test_an_echo_of_another_greeting_is_refused() -> None:
    host = Mux(initiator=True)
    host.hello("mine")
    with pytest.raises(ProtocolError):
        host.receive(hello("another's"))


def test_streams_are_limited_on_both_sides(line: Line) -> None:
    for _ in range(MAX_STREAMS):
        line.host.open({})
    with pytest.raises(RuntimeError, match="no stream"):
        line.host.open({})
    line.settle()
    with pytest.raises(ProtocolError, match="streams"):
        line.guest.receive(encode(Kind.OPEN, 2 * MAX_STREAMS + 1, EMPTY))


def test_a_peer_that_asks_and_never_reads_is_given_up(line: Line) -> None:

    def ask_for_ever() -> None:
        for stream in range(2, 10**6, 2):
            line.host.receive(encode(Kind.OPEN, stream, EMPTY))
            line.host.fail(stream, Fault("policy_denied", "no" * 1000))

    with pytest.raises(ProtocolError, match="does not read"):
        ask_for_ever()
    assert line.host.backlog <= Outgoing.LIMIT


def data(stream: int, channel: int = 1, size: int = 1) -> bytes:
    return encode(Kind.DATA, stream, bytes(size), channel)


# Stream 1 was opened by the host and is open; stream 3 is answered; 2 and 5 never were.
FROM_A_BAD_GUEST = {
    "a second greeting": hello("n1"),
    "a greeting on a stream": encode(Kind.HELLO, 1, EMPTY),
    "an opening with the host's parity": encode(Kind.OPEN, 5, EMPTY),
    "an opening of stream 0": encode(Kind.OPEN, 0, EMPTY),
    "an opening twice": encode(Kind.OPEN, 2, EMPTY) * 2,
    "an opening backwards": encode(Kind.OPEN, 4, EMPTY) + encode(Kind.OPEN, 2, EMPTY),
    "an opening that is no object": encode(Kind.OPEN, 2, b"[]"),
    "data on the wrong channel": data(1, 0),
    "data on channel 3": data(1, 3),
    "data without bytes": data(1, 1, 0),
    "data on a stream that never was": data(5),
    "data on stream 0": data(0),
    "data beyond its credit": data(1, 1, MAX_PAYLOAD) * 4 + data(1),
    "data beyond its credit over two channels": data(1, 1, MAX_PAYLOAD) * 4 + data(1, 2),
    "data after the end": encode(Kind.END, 1, b"", 1) + data(1),
    "two ends": encode(Kind.END, 1, b"", 1) * 2,
    "credit for nothing": encode(Kind.CREDIT, 1, (1).to_bytes(4, "big")),
    "credit of zero": encode(Kind.CREDIT, 1, bytes(4)),
    "credit of the wrong size": encode(Kind.CREDIT, 1, bytes(3)),
    "control that is not JSON": encode(Kind.CONTROL, 1, b"{"),
    "a cancel of the host's stream": encode(Kind.CANCEL, 1),
    "an answer to its own stream": encode(Kind.OPEN, 2, EMPTY) + encode(Kind.ANSWER, 2, EMPTY),
    "an answer on a stream that never was": encode(Kind.ANSWER, 5, EMPTY),
    "an answer that is not JSON": encode(Kind.ANSWER, 1, b"nul"),
    "a fault without a code": encode(Kind.FAULT, 1, EMPTY),
}


@pytest.mark.parametrize("wire", FROM_A_BAD_GUEST.values(), ids=FROM_A_BAD_GUEST.keys())
def test_a_guest_that_breaks_the_rules_is_a_protocol_error(line: Line, wire: bytes) -> None:
    line.host.open({})
    answered = line.host.open({})
    line.settle()
    line.guest.answer(answered, {})
    line.settle()
    with pytest.raises(ProtocolError):
        line.host.receive(wire)


def test_nothing_may_come_before_the_greeting() -> None:
    for mux in (Mux(initiator=True), Mux(initiator=False)):
        with pytest.raises(ProtocolError):
            mux.receive(encode(Kind.OPEN, 1, EMPTY))
    with pytest.raises(RuntimeError, match="greeting"):
        Mux(initiator=True).open({})
    with pytest.raises(RuntimeError, match="initiator"):
        Mux(initiator=False).hello("n")


@pytest.mark.parametrize(
    "misuse",
    [
        lambda m: m.send(1, 1, b"x"),
        lambda m: m.end(1, 2),
        lambda m: m.answer(1, {}),
        lambda m: m.fail(1, Fault("conflict", "x")),
        lambda m: m.control(9, {}),
        lambda m: m.cancel(9),
        lambda m: (m.end(1, 0), m.end(1, 0)),
        lambda m: m.control(1, {"x": "y" * MAX_PAYLOAD}),
    ],
)
def test_our_own_misuse_is_an_error_and_sends_nothing(line: Line, misuse: object) -> None:
    line.host.open({})
    line.settle()
    assert callable(misuse)
    with pytest.raises((ValueError, KeyError)):
        misuse(line.host)
    assert not [e for e in line.settle()[1] if not isinstance(e, Ended)]


kinds = st.sampled_from(Kind)
payloads = st.one_of(
    st.binary(max_size=40),
    st.just(EMPTY),
    st.integers(0, 2**32 - 1).map(lambda n: n.to_bytes(4, "big")),
    st.just(bytes(MAX_PAYLOAD)),
    st.just(messages.pack({"code": "conflict", "brief": "b"})),
    st.just(messages.pack({"nonce": "n1", "version": 1})),
)
frames = st.builds(encode, kinds, st.integers(0, 9), payloads, st.integers(0, 3))


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(st.one_of(frames, st.binary(max_size=30)), max_size=40), st.integers(1, 70000))
def test_no_peer_can_do_more_than_break_the_line(initiator: bool, wire: list[bytes], chunk: int) -> None:
    line = Line()
    line.host.hello("n1")
    line.settle()
    victim = line.host if initiator else line.guest
    for _ in range(3):
        victim.open({})
    held = 0
    try:
        stream = b"".join(wire)
        for start in range(0, len(stream), chunk):
            for event in victim.receive(stream[start : start + chunk]):
                held += len(event.payload) if isinstance(event, Data) else 0
    except ProtocolError:
        pass
    assert victim.backlog <= Outgoing.LIMIT
    assert len(victim.streams) <= MAX_STREAMS
    if initiator:
        assert held <= 8 * WINDOW  # unconsumed data is bounded by the streams that were opened


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 100_000)), max_size=60), st.integers(1, 5000))
def test_whatever_the_pace_all_bytes_arrive_in_order(steps: list[tuple[bool, int]], chunk: int) -> None:
    line = Line()
    line.host.hello("n1")
    line.settle()
    stream = line.host.open({})
    line.settle()
    sent, received, unread = bytearray(), bytearray(), 0
    for sending, size in steps:
        if sending:
            block = bytes((len(sent) + i) % 251 for i in range(size))
            sent += block[: line.guest.send(stream, 1, block)]
        else:
            taken = min(size, unread)
            line.host.consumed(stream, taken)
            unread -= taken
        happened: list[Event] = line.settle(chunk)[0]
        for event in happened:
            assert isinstance(event, Data)
            received += event.payload
            unread += len(event.payload)
        assert unread <= WINDOW
    assert received == sent
