"""Pass one client's request on to the agent, and the agent's answer back.

Data waits here for at most one window per stream: each direction grants its source room only for what its sink has taken.
"""

from __future__ import annotations

from pyro_mcp.keeper.lines.switchboard import Client, Switchboard
from pyro_wire import events
from pyro_wire.faults import Fault
from pyro_wire.messages import Message
from pyro_wire.relay import Relay


def relay(board: Switchboard, client: Client, stream: int, message: Message) -> None:
    """Let the agent serve a client's request."""
    call = _Call(board, client, stream)
    agent_stream = board.ask_agent(message, call.from_agent)
    if isinstance(agent_stream, Fault):
        client.answer(stream, agent_stream)
    else:
        call.begin(agent_stream)


class _Call:
    """One request that the agent works on for a client."""

    def __init__(self, board: Switchboard, client: Client, stream: int) -> None:
        self._agent = board.agent
        self._client = client
        self._stream = stream
        self._result: Message | Fault | None = None

    def begin(self, agent_stream: int) -> None:
        self._agent_stream = agent_stream
        self._inward = Relay(self._client.line.mux, self._stream, self._agent.mux, agent_stream)
        self._outward = Relay(self._agent.mux, agent_stream, self._client.line.mux, self._stream)
        self._client.serving[self._stream] = self

    def from_client(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            self._inward.data(event.channel, event.payload)
        elif isinstance(event, events.Ended):
            self._inward.end(event.channel)
        elif isinstance(event, events.Credited):
            self.client_has_room()
        elif self._agent_stream in self._agent.mux:
            if isinstance(event, events.Control):
                self._agent.mux.control(self._agent_stream, event.message)
            elif isinstance(event, events.Cancelled):
                self._agent.mux.cancel(self._agent_stream)

    def client_has_room(self) -> None:
        self._outward.pump()
        self._finish()

    def client_gone(self) -> None:
        """Nobody wants it any more: it is cancelled, and what still comes is swallowed."""
        if self._agent_stream in self._agent.mux:
            self._agent.mux.cancel(self._agent_stream)
        self.client_has_room()

    def from_agent(self, event: events.Event) -> None:
        if isinstance(event, events.Data):
            self._outward.data(event.channel, event.payload)
        elif isinstance(event, events.Ended):
            self._outward.end(event.channel)
        elif isinstance(event, events.Credited):
            self._inward.pump()
        elif isinstance(event, events.Control):
            self._client.tell(self._stream, lambda mux: mux.control(self._stream, event.message))
        elif isinstance(event, events.Answered):
            self._result = event.message
        elif isinstance(event, events.Failed):
            self._result = event.fault
        self._finish()
        self._client.line.update()

    def _finish(self) -> None:
        """Give the answer once all data before it has been passed on."""
        if self._result is not None and self._outward.pump():
            self._client.answer(self._stream, self._result)
