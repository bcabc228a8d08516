"""A machine without a guest, and the host's end of its line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from pyro_agent.base.loop import Loop
from pyro_agent.requests.dispatcher import Dispatcher
from pyro_agent.requests.line import Line
from pyro_agent.requests.machine import Machine
from pyro_agent.requests.outward import Outward
from pyro_agent.runners.pool import Pool
from pyro_agent.verbs import JOBS, VERBS
from pyro_agent.workers.helper import DiskHelper, Reply
from pyro_agent.workers.processes import Workers
from pyro_wire.events import Event
from pyro_wire.messages import Message
from pyro_wire.mux import Mux


class Helper:
    """Takes the questions; the test replies."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.reply = Reply(0, False, 1.5)

    def ask(self, question: bytes, then: object) -> None:
        self.asked.append(question)
        assert callable(then)
        then(self.reply)


class Agent:
    """A machine without a guest, and the host's end of its line."""

    def __init__(self) -> None:
        self.helper = Helper()
        self.pool = SimpleNamespace(full=True, attached=False)
        loop = Loop()
        helper = cast("DiskHelper", self.helper)
        self.machine = Machine(loop, cast("Pool", self.pool), helper, Workers(loop, JOBS))
        self.dispatcher = Dispatcher(self.machine, VERBS, Outward())
        self.host, self.guest = Mux(initiator=True), Mux(initiator=False)
        self.dispatcher._line = cast("Line", SimpleNamespace(mux=self.guest))
        self.host.hello("n")
        self.carry()

    def carry(self) -> list[Event]:
        happened: list[Event] = []
        while self.host.outgoing() or self.guest.outgoing():
            self.dispatcher._dispatch(self.guest.receive(bytes(self.host.outgoing())))
            self.host.wrote(len(self.host.outgoing()))
            for request in list(self.dispatcher._requests.values()):
                request.guarded(request.on_turn)
            happened += self.host.receive(bytes(self.guest.outgoing()))
            self.guest.wrote(len(self.guest.outgoing()))
        return happened

    def ask(self, message: Message) -> Event:
        self.host.open(message)
        (event,) = self.carry()
        return event
