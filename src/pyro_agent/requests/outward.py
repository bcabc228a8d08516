"""Requests that the agent makes of the host: one stream each, and whoever made it is told what comes back."""

from __future__ import annotations

from collections.abc import Callable

from pyro_agent.requests.line import Line
from pyro_wire import events
from pyro_wire.frames import Buffer
from pyro_wire.messages import Message

# Everything a guest can make the agent ask for at once; the line has 1,024 streams for each side.
_MOST = 512
OnEvent = Callable[[events.Event], None]


class Outward:
    """The streams that the agent has opened. Before a host is there, and when there are too many, nothing can be asked."""

    def __init__(self) -> None:
        self._line: Line | None = None
        self._asked: dict[int, OnEvent] = {}
        self._turns: dict[int, Callable[[], None]] = {}

    def connect(self, line: Line) -> None:
        """Use this line from now on."""
        self._line = line

    def ask(self, message: Message, on_event: OnEvent) -> int | None:
        """Open a stream; None where that cannot be."""
        # What was forgotten counts until the host has closed it: connections made and dropped while it is slow, say.
        if self._line is None or not self._line.mux.greeted or self._line.mux.asked >= _MOST:
            return None
        stream = self._line.mux.open(message)
        self._asked[stream] = on_event
        return stream

    def dispatch(self, event: events.Event) -> None:
        """Pass on what the host says on a stream of ours."""
        assert not isinstance(event, events.Greeted)
        on_event = self._asked.get(event.stream)
        if isinstance(event, events.Answered | events.Failed):
            self._asked.pop(event.stream, None)
            self._turns.pop(event.stream, None)
        if on_event is not None:
            on_event(event)
        elif isinstance(event, events.Data):
            self.consumed(event.stream, len(event.payload))

    def abandon(self) -> None:
        """A new host is there: what the old one was asked is never answered."""
        waiting, self._asked = self._asked, {}
        self._turns.clear()
        for stream, on_event in waiting.items():
            on_event(events.Cancelled(stream))

    def forget(self, stream: int) -> None:
        """Tell the host that nobody waits any more, and hear no more of it."""
        self._turns.pop(stream, None)
        if self._asked.pop(stream, None) is not None and self._line is not None and stream in self._line.mux:
            self._line.mux.cancel(stream)

    def each_turn(self, stream: int, look: Callable[[], None] | None) -> None:
        """Call `look` once per turn of the loop, as long as a sender waits for room; None: no more."""
        if look is None:
            self._turns.pop(stream, None)
        else:
            self._turns[stream] = look

    def on_turn(self) -> None:
        """See to those who wait for room."""
        for look in list(self._turns.values()):
            look()

    def room(self, stream: int) -> int:
        """Return how many bytes `send` takes now."""
        return 0 if self._line is None else self._line.mux.room(stream)

    def send(self, stream: int, data: Buffer) -> int:
        """Send bytes to the host, as many as there is room for."""
        return 0 if self._line is None else self._line.mux.send(stream, 0, data)

    def end(self, stream: int) -> None:
        """Tell the host that no more bytes come."""
        if self._line is not None and stream in self._line.mux:
            self._line.mux.end(stream, 0)

    def consumed(self, stream: int, count: int) -> None:
        """Let the host send that many bytes more."""
        if self._line is not None:
            self._line.mux.consumed(stream, count)
