"""The agent at work: what the host says on the line reaches the request that it is for."""

from __future__ import annotations

from collections.abc import Mapping

from pyro_agent.requests.line import Line
from pyro_agent.requests.machine import Machine
from pyro_agent.requests.outward import Outward
from pyro_agent.requests.request import Request
from pyro_wire import events, messages
from pyro_wire.faults import Fault
from pyro_wire.messages import Message, MessageError


class Dispatcher:
    """The host's requests, each on its own stream, and the agent's own beside them."""

    def __init__(self, machine: Machine, verbs: Mapping[str, type[Request]], outward: Outward) -> None:
        self._machine = machine
        self._verbs = verbs
        self._outward = outward
        self._requests: dict[int, Request] = {}
        self._line: Line | None = None

    def serve(self, port: int, facts: Message) -> None:
        """Answer the host for as long as the machine lives."""
        loop = self._machine.loop
        self._line = Line(loop, port, facts, self._dispatch)
        self._outward.connect(self._line)
        while True:
            loop.step()
            for request in [each for each in self._requests.values() if not each.resting]:
                request.guarded(request.on_turn)
                if not request.open:
                    self._requests.pop(request.stream, None)
            self._outward.on_turn()
            self._line.settle()

    def _dispatch(self, happened: list[events.Event]) -> None:
        for event in happened:
            if isinstance(event, events.Greeted):
                self._abandon_all()
            elif isinstance(event, events.Opened):
                self._open(event)
            elif event.stream % 2 == 0:  # a responder's own streams have even numbers
                self._outward.dispatch(event)
            else:
                self._pass_on(event)

    def _abandon_all(self) -> None:
        """A new host is there: nobody waits for what the old one asked."""
        for request in self._requests.values():
            request.close()
        self._requests.clear()
        self._outward.abandon()

    def _open(self, event: events.Opened) -> None:
        assert self._line is not None
        mux = self._line.mux
        try:
            verb = messages.text(event.message, "verb")
        except MessageError as error:
            mux.fail(event.stream, Fault("invalid_request", str(error)))
            return
        kind = self._verbs.get(verb)
        if kind is None:
            mux.fail(event.stream, Fault("invalid_request", f"the agent knows no verb {verb[:40]!r}"))
            return
        request = kind(self._machine, mux, event.stream)
        self._requests[event.stream] = request
        request.guarded(lambda: request.start(event.message))

    def _pass_on(self, event: events.Event) -> None:
        assert not isinstance(event, events.Greeted)
        request = self._requests.get(event.stream)
        if request is None or not request.open:
            return
        if isinstance(event, events.Data):
            payload = event.payload
            request.guarded(lambda: request.on_data(payload))
        elif isinstance(event, events.Ended):
            request.guarded(request.on_ended)
        elif isinstance(event, events.Control):
            message = event.message
            request.guarded(lambda: request.on_control(message))
        elif isinstance(event, events.Cancelled):
            request.guarded(request.on_cancel)
