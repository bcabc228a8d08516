"""What a peer's bytes mean, as values: the results of `Mux.receive`."""

from __future__ import annotations

from dataclasses import dataclass

from pyro_wire.faults import Fault
from pyro_wire.messages import Message


@dataclass(frozen=True, slots=True)
class Greeted:
    """A greeting came. At the responder it ends every earlier stream: a new host is there."""

    facts: Message


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer asks for something on a new stream."""

    stream: int
    message: Message


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of one channel; call `Mux.consumed` once they are passed on, or the peer runs dry."""

    stream: int
    channel: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer sends no more on this channel."""

    stream: int
    channel: int


@dataclass(frozen=True, slots=True)
class Credited:
    """The peer took bytes of this stream: `Mux.room` has grown."""

    stream: int


@dataclass(frozen=True, slots=True)
class Control:
    """A message beside the data of an open stream (a signal, a size, progress)."""

    stream: int
    message: Message


@dataclass(frozen=True, slots=True)
class Answered:
    """The request's result; the stream is closed."""

    stream: int
    message: Message


@dataclass(frozen=True, slots=True)
class Failed:
    """The request failed; the stream is closed."""

    stream: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The peer gave up on its request; it still waits for an answer or a fault."""

    stream: int


Event = Greeted | Opened | Data | Ended | Credited | Control | Answered | Failed | Cancelled
