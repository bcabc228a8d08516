"""Join clients' lines to the one line of the agent.

Most requests are passed on as they come (`relaying.py`); some the keeper answers itself. Whoever serves a client's stream is
told what happens on it, and nothing that one client does or fails to do stalls another.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from pyro_mcp.keeper.lines.line import Line
from pyro_mcp.keeper.lines.loop import Loop
from pyro_wire import events
from pyro_wire.faults import Fault
from pyro_wire.frames import ProtocolError
from pyro_wire.messages import Message
from pyro_wire.mux import MAX_STREAMS, Mux
from pyro_wire.verbs import READING

# Streams of the agent's line kept free for the keeper itself.
_RESERVED_STREAMS = 64
_LOOK_FIRST = "look at what is there before you repeat it: it may or may not have happened"
AgentEvent = Callable[[events.Event], None]
# Takes a request of the agent's: its stream and the message; gives who is told what happens on the stream, None: it is answered.
AgentOpen = Callable[[int, Message], AgentEvent | None]


class Serving(Protocol):
    """Whoever serves one stream of a client."""

    def from_client(self, event: events.Event) -> None: ...

    def client_has_room(self) -> None: ...

    def client_gone(self) -> None: ...


@dataclass(slots=True)
class Client:
    """A connected client and who serves its streams."""

    line: Line
    serving: dict[int, Serving] = field(default_factory=dict)

    def tell(self, stream: int, say: Callable[[Mux], None]) -> None:
        """Say something on a stream that may be gone; a client that lets megabytes of answers pile up is sent away."""
        if self.line.open and stream in self.line.mux:
            try:
                say(self.line.mux)
            except ProtocolError as error:
                self.line.end(str(error))
        self.line.update()

    def answer(self, stream: int, result: Message | Fault) -> None:
        """Close a stream with its answer or fault."""
        self.serving.pop(stream, None)
        if isinstance(result, Fault):
            self.tell(stream, lambda mux: mux.fail(stream, result))
        else:
            self.tell(stream, lambda mux: mux.answer(stream, result))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that the agent works on."""

    on_event: AgentEvent
    reads: bool

    def broken_off(self, why: Fault) -> Fault:
        """Tell why no answer comes: who only looked may ask again, whoever changed something has to look first."""
        if self.reads:
            return why
        hint = f"{why.hint}; {_LOOK_FIRST}" if why.code == "limit_reached" else _LOOK_FIRST
        return Fault("outcome_unknown", why.brief, why.details, hint)


# Takes a request that has just been opened: the client, its stream, and the message.
Open = Callable[[Client, int, Message], None]


class Switchboard:
    """All clients' lines and the agent's."""

    def __init__(
        self,
        loop: Loop,
        agent: socket.socket,
        agent_mux: Mux,
        *,
        on_request: Open,
        on_dead: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._on_request = on_request
        self._on_dead = on_dead
        self._clients: list[Client] = []
        self._agent_streams: dict[int, _Asked] = {}
        self._asked_by_agent: dict[int, AgentEvent] = {}
        self.on_agent_request: AgentOpen = self._refuse_agent
        self._standing: set[int] = set()  # of the streams to the agent, those that nobody waits for
        self.agent = Line(
            loop,
            agent,
            agent_mux,
            on_event=self._from_agent,
            on_room=self._agent_has_room,
            on_end=self._agent_ended,
        )

    @property
    def requests(self) -> int:
        """How many requests the agent works on that somebody waits for."""
        return len(self._agent_streams) - len(self._standing)

    def admit(self, connection: socket.socket) -> None:
        """Serve a client that has just connected."""

        def gone(_: str) -> None:
            self._clients.remove(client)
            client.line.mux.hung_up()
            for serving in list(client.serving.values()):
                serving.client_gone()
            self.agent.update()

        line = Line(
            self._loop,
            connection,
            Mux(initiator=False),
            on_event=lambda event: self._from_client(client, event),
            on_room=lambda: self._client_has_room(client),
            on_end=gone,
        )
        client = Client(line)
        self._clients.append(client)

    def ask_agent(
        self, message: Message, on_event: AgentEvent, *, own: bool = False, holds: bool = True
    ) -> int | Fault:
        """Open a stream to the agent; `on_event` is told of everything on it. A Fault when the agent has too much to do.

        What the keeper itself has to ask (`own`) is asked however busy the agent is. `holds`: whether the machine is in use as
        long as the stream is open. A shell at its prompt is not.
        """
        if not self.agent.open:
            return Fault("guest_failed", "the machine's agent is gone")
        most = MAX_STREAMS if own else MAX_STREAMS - _RESERVED_STREAMS
        if len(self._agent_streams) >= most or (self.agent.congested and not own):
            return Fault(
                "limit_reached", "too many requests to this machine at once", None, "wait for some to end"
            )
        stream = self.agent.mux.open(message)
        self._agent_streams[stream] = _Asked(on_event, message.get("verb") in READING)
        if not holds:
            self._standing.add(stream)
        self.agent.update()
        return stream

    def answer_agent(self, stream: int, result: Message | Fault) -> None:
        """Close a stream that the agent opened; one that is gone already is left alone."""
        self._asked_by_agent.pop(stream, None)
        if not self.agent.open or stream not in self.agent.mux:
            return
        try:
            if isinstance(result, Fault):
                self.agent.mux.fail(stream, result)
            else:
                self.agent.mux.answer(stream, result)
        except ProtocolError as error:  # it asks and asks, and reads nothing
            self.agent.end(str(error))
        self.agent.update()

    def fail_all(self, why: Fault) -> None:
        """Tell everyone who waits for the agent why nothing comes any more."""
        self._standing.clear()
        for stream, asked in list(self._agent_streams.items()):
            self._agent_streams.pop(stream, None)
            asked.on_event(events.Failed(stream, asked.broken_off(why)))

    def close(self) -> None:
        for client in list(self._clients):
            client.line.close()
        self.agent.close()

    def _from_client(self, client: Client, event: events.Event) -> None:
        if isinstance(event, events.Opened):
            self._on_request(client, event.stream, event.message)
        elif not isinstance(event, events.Greeted):
            serving = client.serving.get(event.stream)
            if serving is not None:
                serving.from_client(event)
        client.line.update()
        self.agent.update()
        client.line.pause(self.agent.congested)

    def _from_agent(self, event: events.Event) -> None:
        if isinstance(event, events.Greeted):
            return
        if isinstance(event, events.Opened):
            take = self.on_agent_request(event.stream, event.message)
            if take is not None and event.stream in self.agent.mux:
                self._asked_by_agent[event.stream] = take
            return
        by_agent = self._asked_by_agent.get(event.stream)
        if by_agent is not None:
            by_agent(event)
            return
        asked = self._agent_streams.get(event.stream)
        if isinstance(event, events.Answered | events.Failed):
            self._agent_streams.pop(event.stream, None)
            self._standing.discard(event.stream)
        if asked is not None:
            asked.on_event(event)

    def _refuse_agent(self, stream: int, _: Message) -> None:
        self.answer_agent(stream, Fault("invalid_request", "this keeper takes no requests of the agent's"))

    def _client_has_room(self, client: Client) -> None:
        for serving in list(client.serving.values()):
            serving.client_has_room()
        client.line.update()
        self.agent.update()

    def _agent_has_room(self) -> None:
        for stream, asked in list(self._agent_streams.items()):
            asked.on_event(events.Credited(stream))
        for stream, on_event in list(self._asked_by_agent.items()):
            on_event(events.Credited(stream))
        for client in list(self._clients):
            client.line.pause(self.agent.congested)
            client.line.update()
        self.agent.update()

    def _agent_ended(self, reason: str) -> None:
        self._on_dead(reason)
