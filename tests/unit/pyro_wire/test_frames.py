"""Frames survive any chunking, and nothing a peer sends makes the decoder hold more than one frame."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyro_wire.frames import HEADER, MAGIC, MAX_PAYLOAD, Decoder, Frame, Kind, ProtocolError, encode

FRAMES = [
    Frame(Kind.HELLO, 0, 0, b"{}"),
    Frame(Kind.DATA, 1, 7, bytes(range(256)) * 9),
    Frame(Kind.CANCEL, 0, 7, b""),
    Frame(Kind.DATA, 2, 2**32 - 1, b"\0" * MAX_PAYLOAD),
    Frame(Kind.END, 2, 9, b""),
]
WIRE = b"".join(encode(f.kind, f.stream, f.payload, f.channel) for f in FRAMES)


def chunked(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks: list[bytes] = []
    position = 0
    for size in itertools.cycle(sizes):
        if position >= len(data):
            return chunks
        chunks.append(data[position : position + size])
        position += size
    return chunks


@pytest.mark.parametrize(
    "sizes", [[1], [2, 3], [11], [12], [13], [11, 1], [1, 4096], [4096], [65548], [10**6], [5, 12, 70000]]
)
def test_every_chunking_gives_the_same_frames(sizes: list[int]) -> None:
    decoder = Decoder()
    assert [f for chunk in chunked(WIRE, sizes) for f in decoder.feed(chunk)] == FRAMES


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_random_chunkings_give_the_same_frames(sizes: list[int]) -> None:
    decoder = Decoder()
    assert [f for chunk in chunked(WIRE, sizes) for f in decoder.feed(chunk)] == FRAMES


def test_the_callers_buffer_may_be_reused() -> None:
    buffer = bytearray(encode(Kind.DATA, 1, b"first"))
    (frame,) = Decoder().feed(memoryview(buffer))
    buffer[:] = b"x" * len(buffer)
    buffer.append(0)  # also: no view of it is still alive
    assert frame.payload == b"first"


@pytest.mark.parametrize(
    "header",
    [
        HEADER.pack(MAGIC ^ 1, Kind.DATA, 0, 1, 0),
        HEADER.pack(MAGIC, 0, 0, 1, 0),
        HEADER.pack(MAGIC, 10, 0, 1, 0),
        HEADER.pack(MAGIC, Kind.DATA, 0, 1, MAX_PAYLOAD + 1),
        HEADER.pack(MAGIC, Kind.DATA, 0, 1, 2**32 - 1),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 12])
def test_a_wrong_header_is_refused_as_soon_as_it_is_whole(header: bytes, size: int) -> None:
    decoder = Decoder()
    *before, last = chunked(header, [size])
    for chunk in before:
        assert decoder.feed(chunk) == []
    with pytest.raises(ProtocolError):
        decoder.feed(last)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_garbage_is_refused_or_waits_but_never_grows_the_buffer(chunks: list[bytes]) -> None:
    decoder = Decoder()
    try:
        for chunk in chunks:
            decoder.feed(chunk)
    except ProtocolError:
        pass
    assert len(decoder._partial) == HEADER.size + MAX_PAYLOAD


def test_half_a_frame_is_forgotten_by_a_reset() -> None:
    decoder = Decoder()
    assert decoder.feed(WIRE[:500]) == FRAMES[:1]
    decoder.reset()
    assert decoder.feed(WIRE) == FRAMES


def test_an_oversized_payload_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="at most"):
        encode(Kind.DATA, 1, bytes(MAX_PAYLOAD + 1))
