"""Pass one stream's data from one line to another, granting credit only for what has been passed on.

This is what lets a keeper stand between a guest and a slow client: the client's missing credit becomes the
guest's, and at most one window per stream waits in between.
"""

from __future__ import annotations

from collections import deque

from pyro_wire.frames import Buffer
from pyro_wire.mux import Mux


class Relay:
    """One direction of one stream: from (source, stream) to (sink, stream)."""

    def __init__(self, source: Mux, source_stream: int, sink: Mux, sink_stream: int) -> None:
        self._source, self._source_stream = source, source_stream
        self._sink, self._sink_stream = sink, sink_stream
        self._waiting: deque[tuple[int, memoryview]] = deque()  # (channel, bytes); an empty view is an END

    @property
    def idle(self) -> bool:
        """Tell whether everything has been passed on: only then may the stream's answer follow."""
        return not self._waiting

    def data(self, channel: int, payload: Buffer) -> None:
        """Take a Data event of the source."""
        self._waiting.append((channel, memoryview(payload)))
        self.pump()

    def end(self, channel: int) -> None:
        """Take an Ended event of the source."""
        self._waiting.append((channel, memoryview(b"")))
        self.pump()

    def pump(self) -> bool:
        """Pass on what the sink has room for; call it on the sink's `Credited` and after its writes.

        Returns whether all is passed on. A sink stream that is closed swallows the rest, so that the source
        does not stall.
        """
        while self._waiting:
            channel, payload = self._waiting.popleft()
            rest = self._pass_on(channel, payload)
            if rest:
                self._waiting.appendleft((channel, rest))
                return False
        return True

    def _pass_on(self, channel: int, payload: memoryview) -> memoryview:
        if self._sink_stream not in self._sink:
            accepted = len(payload)
        elif payload:
            accepted = self._sink.send(self._sink_stream, channel, payload)
        else:
            self._sink.end(self._sink_stream, channel)
            accepted = 0
        self._source.consumed(self._source_stream, accepted)
        return payload[accepted:]
