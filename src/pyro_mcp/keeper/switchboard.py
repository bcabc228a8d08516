"""Pass clients' requests on to the agent and its answers back, stream by stream.

Data waits here for at most one window per stream: the relay grants its source room only for what its sink has taken. So a
client that does not read stalls its own stream and no other.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from pyro_mcp.keeper.line import Line
from pyro_mcp.keeper.loop import Loop
from pyro_wire import events
from pyro_wire.faults import Fault
from pyro_wire.frames import ProtocolError
from pyro_wire.messages import Message
from pyro_wire.mux import MAX_STREAMS, Mux
from pyro_wire.relay import Relay

# Streams of the agent's line kept free for the keeper itself.
_RESERVED_STREAMS = 64
Verb = Callable[["Client", int, Message], None]


@dataclass(slots=True)
class Client:
    """A connected client and the agent's streams that serve it, by its own stream ids."""

    line: Line
    calls: dict[int, Call]


@dataclass(slots=True)
class Call:
    """One client request that the agent works on."""

    client: Client
    stream: int
    agent_stream: int
    inward: Relay
    outward: Relay
    result: Message | Fault | None = None


class Switchboard:
    """Joins clients' lines to the one line of the agent."""

    def __init__(
        self,
        loop: Loop,
        agent: socket.socket,
        agent_mux: Mux,
        verbs: dict[str, Verb],
        on_dead: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._verbs = verbs
        self._on_dead = on_dead
        self._clients: list[Client] = []
        self._calls: dict[int, Call] = {}
        self._agent = Line(
            loop,
            agent,
            agent_mux,
            on_event=self._from_agent,
            on_room=self._agent_has_room,
            on_end=self._agent_ended,
        )

    @property
    def busy(self) -> bool:
        return bool(self._calls)

    def admit(self, connection: socket.socket, on_gone: Callable[[Client], None]) -> Client:
        """Serve a client that has just connected."""

        def gone(_: str) -> None:
            self._hang_up(client)
            on_gone(client)

        line = Line(
            self._loop,
            connection,
            Mux(initiator=False),
            on_event=lambda event: self._from_client(client, event),
            on_room=lambda: self._client_has_room(client),
            on_end=gone,
        )
        client = Client(line, {})
        self._clients.append(client)
        return client

    def fail_all(self, fault: Fault) -> None:
        """Tell every waiting client why nothing comes any more."""
        for call in list(self._calls.values()):
            call.result = fault
            self._finish(call)

    def close(self) -> None:
        for client in self._clients:
            client.line.close()
        self._agent.close()

    # -- from a client to the agent ---------------------------------------------------------------------------------

    def _from_client(self, client: Client, event: events.Event) -> None:
        if isinstance(event, events.Opened):
            self._open(client, event)
        elif isinstance(
            event, events.Data | events.Ended | events.Credited | events.Control | events.Cancelled
        ):
            call = client.calls.get(event.stream)
            if call is not None:
                self._go_on(call, event)
        client.line.update()
        self._agent.update()
        client.line.pause(self._agent.congested)

    def _open(self, client: Client, event: events.Opened) -> None:
        own = self._verbs.get(str(event.message.get("verb")))
        if own is not None:
            own(client, event.stream, event.message)
            return
        if self._agent.congested or len(self._calls) >= MAX_STREAMS - _RESERVED_STREAMS:
            busy = Fault(
                "limit_reached", "too many requests to this machine at once", None, "wait for some to end"
            )
            client.line.mux.fail(event.stream, busy)
            return
        agent_stream = self._agent.mux.open(event.message)
        inward = Relay(client.line.mux, event.stream, self._agent.mux, agent_stream)
        outward = Relay(self._agent.mux, agent_stream, client.line.mux, event.stream)
        call = Call(client, event.stream, agent_stream, inward, outward)
        client.calls[event.stream] = call
        self._calls[agent_stream] = call

    def _go_on(self, call: Call, event: events.Event) -> None:
        if isinstance(event, events.Data):
            call.inward.data(event.channel, event.payload)
        elif isinstance(event, events.Ended):
            call.inward.end(event.channel)
        elif isinstance(event, events.Credited):
            call.outward.pump()
            self._finish(call)
        elif call.agent_stream in self._agent.mux:
            if isinstance(event, events.Control):
                self._agent.mux.control(call.agent_stream, event.message)
            elif isinstance(event, events.Cancelled):
                self._agent.mux.cancel(call.agent_stream)

    def _hang_up(self, client: Client) -> None:
        """A client that is gone wants nothing any more: what it asked for is cancelled, what still comes swallowed."""
        self._clients.remove(client)
        client.line.mux.hung_up()
        for call in client.calls.values():
            if call.agent_stream in self._agent.mux:
                self._agent.mux.cancel(call.agent_stream)
        self._agent.update()

    # -- from the agent to a client -----------------------------------------------------------------------------------

    def _from_agent(self, event: events.Event) -> None:
        if isinstance(event, events.Greeted | events.Opened | events.Cancelled):
            return
        call = self._calls.get(event.stream)
        if call is None:
            return
        if isinstance(event, events.Data):
            call.outward.data(event.channel, event.payload)
        elif isinstance(event, events.Ended):
            call.outward.end(event.channel)
        elif isinstance(event, events.Credited):
            call.inward.pump()
        elif isinstance(event, events.Control):
            self._tell(call, lambda mux: mux.control(call.stream, event.message))
        elif isinstance(event, events.Answered):
            call.result = event.message
            self._finish(call)
        elif isinstance(event, events.Failed):
            call.result = event.fault
            self._finish(call)
        call.client.line.update()

    def _finish(self, call: Call) -> None:
        """Give the answer once all data before it has been passed on."""
        if call.result is None or not call.outward.pump():
            return
        self._calls.pop(call.agent_stream, None)
        call.client.calls.pop(call.stream, None)
        result = call.result
        if isinstance(result, Fault):
            self._tell(call, lambda mux: mux.fail(call.stream, result))
        else:
            self._tell(call, lambda mux: mux.answer(call.stream, result))
        call.client.line.update()

    def _tell(self, call: Call, say: Callable[[Mux], None]) -> None:
        """Say something to a client that may be gone; one that lets megabytes of answers pile up is sent away."""
        line = call.client.line
        if not line.open or call.stream not in line.mux:
            return
        try:
            say(line.mux)
        except ProtocolError as error:
            line.end(str(error))

    # -- room and ends --------------------------------------------------------------------------------------------------

    def _client_has_room(self, client: Client) -> None:
        for call in list(client.calls.values()):
            call.outward.pump()
            self._finish(call)
        client.line.update()
        self._agent.update()

    def _agent_has_room(self) -> None:
        for call in list(self._calls.values()):
            call.inward.pump()
        for client in self._clients:
            client.line.pause(self._agent.congested)
            client.line.update()
        self._agent.update()

    def _agent_ended(self, reason: str) -> None:
        self.fail_all(Fault("guest_failed", "the machine's agent is gone", reason, None))
        self._on_dead(reason)
