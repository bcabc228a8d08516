"""Turn frames into bytes and bytes into frames, whatever chunks they arrive in.

A frame is a 12-byte header (magic, kind, channel, stream, length; network order) and at most 64 KiB of
payload. The decoder judges a header before it keeps a single byte of the payload, and owns one buffer
of one frame's size: nothing a peer sends makes it grow.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

Buffer = bytes | bytearray | memoryview

HEADER = struct.Struct("!HBBII")
MAGIC = 0x5057  # "PW"
# One read of a pipe, and the most a peer can make us hold for a half-received frame.
MAX_PAYLOAD = 64 * 1024


class ProtocolError(Exception):
    """The peer broke the protocol; the line is of no use until the next greeting."""


class Kind(IntEnum):
    """What a frame is for."""

    HELLO = 1
    OPEN = 2
    DATA = 3
    END = 4
    CREDIT = 5
    CONTROL = 6
    ANSWER = 7
    FAULT = 8
    CANCEL = 9


_KINDS: dict[int, Kind] = {int(kind): kind for kind in Kind}


class Frame(NamedTuple):
    """One decoded frame; the payload is its own copy and may be kept."""

    kind: Kind
    channel: int
    stream: int
    payload: bytes


def encode(kind: Kind, stream: int, payload: Buffer = b"", channel: int = 0) -> bytes:
    """Return one frame as bytes, copying the payload once."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a frame holds at most {MAX_PAYLOAD} bytes, not {len(payload)}")
    return b"".join((HEADER.pack(MAGIC, kind, channel, stream, len(payload)), payload))


class Decoder:
    """Collect frames from chunks of any size."""

    def __init__(self) -> None:
        self._partial = bytearray(HEADER.size + MAX_PAYLOAD)
        self._held = 0  # bytes of an unfinished frame at the start of _partial
        self._wanted = HEADER.size  # bytes of it that must be there before the next decision

    def feed(self, data: Buffer) -> list[Frame]:
        """Return the frames that `data` completes; the caller may reuse `data` afterwards."""
        frames: list[Frame] = []
        with memoryview(data) as view:
            position = self._finish_partial(view, frames) if self._held else 0
            while len(view) - position >= HEADER.size:
                kind, channel, stream, length = _header(view, position)
                end = position + HEADER.size + length
                if end > len(view):
                    self._wanted = HEADER.size + length
                    break
                frames.append(Frame(kind, channel, stream, bytes(view[position + HEADER.size : end])))
                position = end
            self._hold(view, position)
        return frames

    def reset(self) -> None:
        """Forget a half-received frame: its sender is gone."""
        self._held = 0
        self._wanted = HEADER.size

    def _finish_partial(self, view: memoryview, frames: list[Frame]) -> int:
        """Complete the held frame as far as `view` goes; return how much of `view` that took."""
        position = self._take(view, 0)
        if self._held == self._wanted == HEADER.size:
            self._wanted += _header(self._partial, 0)[3]
            position = self._take(view, position)
        if self._held == self._wanted:
            kind, channel, stream, _ = _header(self._partial, 0)
            with memoryview(self._partial) as partial:
                frames.append(Frame(kind, channel, stream, bytes(partial[HEADER.size : self._held])))
            self.reset()
        return position

    def _take(self, view: memoryview, position: int) -> int:
        end = min(len(view), position + self._wanted - self._held)
        self._partial[self._held : self._held + end - position] = view[position:end]
        self._held += end - position
        return end

    def _hold(self, view: memoryview, position: int) -> None:
        if position < len(view):
            self._take(view, position)


def _header(data: Buffer, position: int) -> tuple[Kind, int, int, int]:
    magic, number, channel, stream, length = HEADER.unpack_from(data, position)
    kind = _KINDS.get(number)
    if magic != MAGIC or kind is None:
        raise ProtocolError(f"not a frame: magic {magic:#06x}, kind {number}")
    if length > MAX_PAYLOAD:
        raise ProtocolError(f"a frame of {length} bytes; the limit is {MAX_PAYLOAD}")
    return kind, channel, stream, length
