"""Many streams over one line, with flow control and no I/O: bytes in, events out, and back.

Both ends use `Mux`, the host as the initiator. Whoever opens a stream asks; the other end answers. Data is
bounded by the receiver's window, so what either side holds is bounded too, however the peer behaves. All
a hostile peer can cause is `ProtocolError`, after which only a new line (or a new greeting) helps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyro_wire import events, messages
from pyro_wire.faults import Fault
from pyro_wire.frames import HEADER, MAX_PAYLOAD, Buffer, Decoder, Frame, Kind, ProtocolError, encode
from pyro_wire.messages import Message, MessageError
from pyro_wire.outgoing import Outgoing

VERSION = 1
# Bytes in flight per stream and direction: enough to keep 150 MB/s busy over a 1 ms round trip.
WINDOW = 256 * 1024
# Grants are saved up to this, so that bulk data costs one small frame back per two big ones; half a window is left then.
_GRANT_STEP = WINDOW // 2
# The most bytes in one DATA frame we send: with its header, two full writes of 32 KiB to the guest's port.
DATA_PIECE = MAX_PAYLOAD - HEADER.size
# Opened by either side: each counts its own, so that neither can surprise the other.
MAX_STREAMS = 1024
_LAST_STREAM = 2**32 - 2
# To the opener's peer there is one way in; back come the main body and a second one (stderr).
_CHANNELS_TO_SERVER = frozenset({0})
_CHANNELS_TO_OPENER = frozenset({1, 2})


@dataclass(slots=True)
class _Stream:
    opened_here: bool
    room: int = WINDOW  # what we may still send
    expected: int = WINDOW  # what the peer may still send
    consumed: int = 0  # taken by our side, not yet granted back
    unconsumed: int = 0  # handed out as events, not yet taken
    ended_here: set[int] = field(default_factory=set)
    ended_there: set[int] = field(default_factory=set)
    cancelled: bool = False


class Mux:
    """One end of the line."""

    def __init__(self, *, initiator: bool, facts: Message | None = None) -> None:
        """Prepare one end; `facts` is what a responder adds when it echoes a greeting."""
        self._initiator = initiator
        self._facts: Message = facts or {}
        self._decoder = Decoder()
        self._outgoing = Outgoing()
        self._nonce: str | None = None
        self._start_afresh()

    # -- what goes out --------------------------------------------------------------------------------------

    @property
    def greeted(self) -> bool:
        """Tell whether both ends have greeted; nothing else may be sent before."""
        return self._greeted

    @property
    def streams(self) -> frozenset[int]:
        """Return the ids of the open streams, the peer's and ours."""
        return frozenset(self._streams)

    @property
    def asked(self) -> int:
        """Return how many of our own streams the peer has not closed yet, those that were cancelled too."""
        return self._own

    @property
    def backlog(self) -> int:
        """Return how many bytes wait to be written; stop reading the line while it is over `Outgoing.FULL`."""
        return self._outgoing.size

    def __contains__(self, stream: object) -> bool:
        """Tell whether a stream is open."""
        return stream in self._streams

    def outgoing(self) -> memoryview:
        """Return the next bytes to write (empty: nothing to write); then tell `wrote` how many went out."""
        return self._outgoing.head()

    def wrote(self, count: int) -> None:
        """Drop bytes that have been written."""
        self._outgoing.drop(count)

    def hello(self, nonce: str, facts: Message | None = None) -> None:
        """Greet, as the initiator: the first thing on a line. The nonce proves that the echo is an answer."""
        if not self._initiator:
            raise RuntimeError("only the initiator greets; a responder echoes by itself")
        self._start_afresh()
        self._nonce = nonce
        self._put(Kind.HELLO, 0, messages.pack({**(facts or {}), "nonce": nonce, "version": VERSION}))

    def open(self, message: Message) -> int:
        """Ask the peer for something; return the new stream's id."""
        payload = messages.pack(message)
        if not self._greeted:
            raise RuntimeError("nothing can be opened before the greeting")
        if self._next_stream > _LAST_STREAM or self._opened(here=True) >= MAX_STREAMS:
            raise RuntimeError("no stream is free on this line")
        stream = self._next_stream
        self._next_stream += 2
        self._streams[stream] = _Stream(opened_here=True)
        self._own += 1
        self._put(Kind.OPEN, stream, payload)
        return stream

    def room(self, stream: int) -> int:
        """Return how many bytes `send` would accept now; 0 for a stream that is closed.

        It grows with `Credited` events and, when the line itself is congested, as `wrote` drains it.
        """
        state = self._streams.get(stream)
        return 0 if state is None else max(0, min(state.room, self._outgoing.room))

    def send(self, stream: int, channel: int, data: Buffer) -> int:
        """Queue as much of `data` as there is room for, and return how much that was."""
        accepted = min(len(data), self.room(stream))
        if not accepted:
            return 0
        state = self._sendable(stream, channel)
        with memoryview(data) as view:
            for start in range(0, accepted, DATA_PIECE):
                self._put(Kind.DATA, stream, view[start : min(start + DATA_PIECE, accepted)], channel)
        state.room -= accepted
        return accepted

    def end(self, stream: int, channel: int) -> None:
        """Say that no more bytes come on this channel."""
        self._sendable(stream, channel).ended_here.add(channel)
        self._put(Kind.END, stream, b"", channel)

    def consumed(self, stream: int, count: int) -> None:
        """Grant the peer room again for bytes that have been passed on; of no effect once the stream is closed."""
        state = self._streams.get(stream)
        if state is None or not count:
            return
        if not 0 < count <= state.unconsumed:
            raise ValueError(f"{count} bytes consumed of {state.unconsumed} received")
        state.unconsumed -= count
        state.consumed += count
        if state.consumed >= _GRANT_STEP:
            self._put(Kind.CREDIT, stream, state.consumed.to_bytes(4, "big"))
            state.expected += state.consumed
            state.consumed = 0

    def control(self, stream: int, message: Message) -> None:
        """Send a message beside the data of an open stream."""
        payload = messages.pack(message)
        self._open_stream(stream)
        self._put(Kind.CONTROL, stream, payload)

    def cancel(self, stream: int) -> None:
        """Give up on a stream we opened; its answer or fault still comes."""
        state = self._open_stream(stream, here=True)
        if not state.cancelled:
            state.cancelled = True
            self._put(Kind.CANCEL, stream)

    def answer(self, stream: int, message: Message) -> None:
        """Answer a stream the peer opened, and close it."""
        payload = messages.pack(message)
        self._open_stream(stream, here=False)
        self._drop(stream)
        self._put(Kind.ANSWER, stream, payload)

    def fail(self, stream: int, fault: Fault) -> None:
        """Refuse or fail a stream the peer opened, and close it."""
        self._open_stream(stream, here=False)
        self._drop(stream)
        self._put(Kind.FAULT, stream, messages.pack(fault.to_message()))

    # -- what comes in --------------------------------------------------------------------------------------

    def receive(self, data: Buffer) -> list[events.Event]:
        """Return what the peer's bytes mean. Raise ProtocolError for a peer that breaks the rules."""
        happened: list[events.Event] = []
        for frame in self._decoder.feed(data):
            event = self._handle(frame)
            if isinstance(event, events.Greeted):
                happened.clear()  # they speak of streams that the greeting ended
            if event is not None:
                happened.append(event)
        return happened

    def hung_up(self) -> None:
        """Forget the peer: streams, what waits to be written to it, and its half-received frame."""
        self._decoder.reset()
        self._start_afresh()

    # -- inside ---------------------------------------------------------------------------------------------

    def _start_afresh(self) -> None:
        self._outgoing.clear()
        self._streams: dict[int, _Stream] = {}
        self._own = 0  # how many of them were opened here
        self._greeted = False
        self._next_stream = 1 if self._initiator else 2
        self._newest_there = 0

    def _put(self, kind: Kind, stream: int, payload: Buffer = b"", channel: int = 0) -> None:
        self._outgoing.add(encode(kind, stream, payload, channel))

    def _opened(self, *, here: bool) -> int:
        return self._own if here else len(self._streams) - self._own

    def _drop(self, stream: int) -> None:
        self._own -= self._streams.pop(stream).opened_here

    def _open_stream(self, stream: int, here: bool | None = None) -> _Stream:
        state = self._streams.get(stream)
        if state is None or (here is not None and state.opened_here is not here):
            raise KeyError(f"stream {stream} is not open for that")
        return state

    def _sendable(self, stream: int, channel: int) -> _Stream:
        state = self._open_stream(stream)
        allowed = _CHANNELS_TO_SERVER if state.opened_here else _CHANNELS_TO_OPENER
        if channel not in allowed or channel in state.ended_here:
            raise ValueError(f"nothing can be sent on channel {channel} of stream {stream}")
        return state

    def _handle(self, frame: Frame) -> events.Event | None:
        if frame.kind is Kind.HELLO:
            return self._on_hello(frame)
        if not self._greeted:
            raise ProtocolError(f"{frame.kind.name} before the greeting")
        if frame.kind is Kind.OPEN:
            return self._on_open(frame)
        state = self._streams.get(frame.stream)
        if state is None:
            self._check_late_frame(frame)
            return None
        if frame.kind is Kind.DATA:
            return _on_data(frame, state)
        if frame.kind is Kind.END:
            return _on_end(frame, state)
        if frame.kind is Kind.CREDIT:
            return _on_credit(frame, state)
        if frame.kind is Kind.CONTROL:
            return events.Control(frame.stream, _message(frame))
        if frame.kind is Kind.CANCEL:
            return _on_cancel(frame, state)
        return self._on_result(frame, state)

    def _on_hello(self, frame: Frame) -> events.Event:
        message = _message(frame)
        nonce = message.get("nonce")
        if frame.stream or not isinstance(nonce, str) or not isinstance(message.get("version"), int):
            raise ProtocolError("a greeting without nonce or version")
        if self._initiator:
            if self._greeted or nonce != self._nonce:
                raise ProtocolError("a greeting that answers none of ours")
        else:
            # A host greets once per line: whoever spoke before is gone, and what was meant for it too.
            self._start_afresh()
            self._put(Kind.HELLO, 0, messages.pack({**self._facts, "nonce": nonce[:256], "version": VERSION}))
        self._greeted = True
        return events.Greeted(message)

    def _on_open(self, frame: Frame) -> events.Event:
        if frame.stream % 2 == int(self._initiator) or frame.stream <= self._newest_there:
            raise ProtocolError(f"stream {frame.stream} cannot be opened by the peer")
        if self._opened(here=False) >= MAX_STREAMS:
            raise ProtocolError(f"more than {MAX_STREAMS} streams")
        message = _message(frame)
        self._newest_there = frame.stream
        self._streams[frame.stream] = _Stream(opened_here=False)
        return events.Opened(frame.stream, message)

    def _check_late_frame(self, frame: Frame) -> None:
        """Ignore what crossed our own closing frame on the line; refuse streams that never were."""
        own = frame.stream % 2 == int(self._initiator)
        existed = frame.stream < self._next_stream if own else frame.stream <= self._newest_there
        if not existed or not frame.stream:
            raise ProtocolError(f"{frame.kind.name} on stream {frame.stream}, which was never opened")

    def _on_result(self, frame: Frame, state: _Stream) -> events.Event:
        if not state.opened_here:
            raise ProtocolError("an answer to a question that was not asked")
        message = _message(frame)
        try:
            result: events.Event = (
                events.Answered(frame.stream, message)
                if frame.kind is Kind.ANSWER
                else events.Failed(frame.stream, Fault.from_message(message))
            )
        except MessageError as error:
            raise ProtocolError(str(error)) from None
        self._drop(frame.stream)
        return result


def _on_data(frame: Frame, state: _Stream) -> events.Event:
    size = len(frame.payload)
    _check_channel(frame, state)
    if not size or size > state.expected:
        raise ProtocolError(f"{size} bytes of data where at most {state.expected} were granted")
    state.expected -= size
    state.unconsumed += size
    return events.Data(frame.stream, frame.channel, frame.payload)


def _on_end(frame: Frame, state: _Stream) -> events.Event:
    _check_channel(frame, state)
    state.ended_there.add(frame.channel)
    return events.Ended(frame.stream, frame.channel)


def _on_credit(frame: Frame, state: _Stream) -> events.Event:
    granted = int.from_bytes(frame.payload, "big")
    if len(frame.payload) != 4 or not 0 < granted <= WINDOW - state.room:
        raise ProtocolError("credit for bytes that were never sent")
    state.room += granted
    return events.Credited(frame.stream)


def _on_cancel(frame: Frame, state: _Stream) -> events.Event | None:
    if state.opened_here:
        raise ProtocolError("the peer cancels what it did not ask for")
    if state.cancelled:
        return None
    state.cancelled = True
    return events.Cancelled(frame.stream)


def _check_channel(frame: Frame, state: _Stream) -> None:
    allowed = _CHANNELS_TO_OPENER if state.opened_here else _CHANNELS_TO_SERVER
    if frame.channel not in allowed or frame.channel in state.ended_there:
        raise ProtocolError(f"{frame.kind.name} on channel {frame.channel} of stream {frame.stream}")


def _message(frame: Frame) -> Message:
    try:
        return messages.unpack(frame.payload)
    except MessageError as error:
        raise ProtocolError(f"{frame.kind.name}: {error}") from None
