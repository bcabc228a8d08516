"""The queue towards the line: ordered, joined where small, bounded."""

from __future__ import annotations

import pytest

from pyro_wire.frames import ProtocolError
from pyro_wire.outgoing import Outgoing


def drained(queue: Outgoing, step: int) -> bytes:
    out = bytearray()
    while head := queue.head():
        part = bytes(head[:step])
        out += part
        queue.drop(len(part))
    return bytes(out)


@pytest.mark.parametrize("step", [1, 7, 10**6])
def test_bytes_leave_in_order_at_any_pace(step: int) -> None:
    queue = Outgoing()
    frames = [b"a" * 12, b"b" * 70000, b"c", b"", b"d" * 65536]
    for frame in frames:
        queue.add(frame)
    assert queue.size == sum(map(len, frames))
    assert drained(queue, step) == b"".join(frames)
    assert queue.size == 0


def test_small_frames_are_written_together() -> None:
    queue = Outgoing()
    for _ in range(10):
        queue.add(b"x" * 12)
    assert len(queue.head()) == 120


def test_a_peer_that_never_reads_is_given_up() -> None:
    queue = Outgoing()
    for _ in range(Outgoing.LIMIT // 65536):
        queue.add(b"x" * 65536)
    with pytest.raises(ProtocolError, match="does not read"):
        queue.add(b"x")
    assert queue.size <= Outgoing.LIMIT
    assert queue.room < 0
    queue.clear()
    assert queue.room == Outgoing.FULL
    assert not queue.head()


def test_more_cannot_be_dropped_than_was_shown() -> None:
    queue = Outgoing()
    queue.add(b"abc")
    with pytest.raises(ValueError, match="written"):
        queue.drop(1)
    queue.head()
    with pytest.raises(ValueError, match="written"):
        queue.drop(4)
