"""Workers do jobs beside the loop: in order, with bodies, within the window; one that dies or is cancelled harms nobody."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from pyro_agent.base.loop import Loop
from pyro_agent.requests.delegated import Work
from pyro_agent.requests.machine import Machine
from pyro_agent.requests.request import Request
from pyro_agent.workers.desk import Desk, Job
from pyro_agent.workers.processes import Workers
from pyro_wire.events import Answered, Data, Event, Failed, Opened
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message
from pyro_wire.mux import Mux

_PATIENCE_S = 20.0


def _echo(_: Message, desk: Desk) -> Message:
    line = desk.take_line()
    assert line is not None
    left = size = int(str(line["size"]))
    while left:
        data = desk.take(left)
        desk.put(data)
        left -= len(data)
    return {"size": size, "pid": os.getpid()}


def _fault(_: Message, desk: Desk) -> Message:
    desk.put(b"before")
    raise FaultError("not_found", "gone")


def _die(_: Message, desk: Desk) -> Message:
    os._exit(1)


def _hang(_: Message, desk: Desk) -> Message:
    os.read(os.pipe()[0], 1)
    return {}


def _patient(_: Message, desk: Desk) -> Message:
    while desk.take_line() is not None:
        continue
    return {"pid": os.getpid()}


JOBS: dict[str, Job] = {
    "echo": _echo,
    "fault": _fault,
    "die": _die,
    "hang": _hang,
    "patient": _patient,
}


class Patient(Work):
    killable = False


class Agent:
    """A loop, its workers, and a host."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.workers = Workers(self.loop, JOBS)
        self.machine = cast("Machine", SimpleNamespace(loop=self.loop, workers=self.workers, root=0))
        self.host, self.guest = Mux(initiator=True), Mux(initiator=False)
        self.requests: dict[int, Request] = {}
        self.host.hello("n")
        self.happened: list[Event] = []
        self.turn()

    def turn(self) -> None:
        """Carry what waits, in both directions, and let the loop take a turn."""
        for event in self.guest.receive(bytes(self._taken(self.host))):
            self._handle(event)
        for request in list(self.requests.values()):
            request.guarded(request.on_turn)
        self.loop.after(0.01, lambda: None)
        self.loop.step()
        for event in self.host.receive(bytes(self._taken(self.guest))):
            if isinstance(event, Data):
                self.host.consumed(event.stream, len(event.payload))
            self.happened.append(event)

    def ask(self, verb: str, body: bytes | None = None) -> int:
        stream = self.host.open({"verb": verb})
        while body and stream in self.host:
            body = body[self.host.send(stream, 0, body) :]
            self.turn()
        if body is not None and stream in self.host:
            self.host.end(stream, 0)
        return stream

    def until(self, there: Callable[[], bool]) -> None:
        limit = time.monotonic() + _PATIENCE_S
        while not there():
            assert time.monotonic() < limit
            self.turn()

    def result(self, stream: int) -> Answered | Failed:
        """Wait for the end of a stream."""
        found: list[Answered | Failed] = []

        def there() -> bool:
            found[:] = [e for e in self.happened if isinstance(e, Answered | Failed) and e.stream == stream]
            return bool(found)

        self.until(there)
        return found[0]

    def data(self, stream: int) -> bytes:
        return b"".join(e.payload for e in self.happened if isinstance(e, Data) and e.stream == stream)

    @staticmethod
    def _taken(mux: Mux) -> bytes:
        parts = []
        while head := bytes(mux.outgoing()):
            mux.wrote(len(head))
            parts.append(head)
        return b"".join(parts)

    def _handle(self, event: Event) -> None:
        if isinstance(event, Opened):
            kind: type[Work] = Patient if event.message["verb"] == "patient" else Work
            opened = self.requests[event.stream] = kind(self.machine, self.guest, event.stream)
            opened.guarded(lambda: opened.start(event.message))
            return
        request = self.requests.get(getattr(event, "stream", 0), cast("Request", None))
        if request is None or not request.open:
            return
        if isinstance(event, Data):
            request.guarded(lambda: request.on_data(event.payload))
        elif type(event).__name__ == "Ended":
            request.guarded(request.on_ended)
        elif type(event).__name__ == "Cancelled":
            request.guarded(request.on_cancel)


@pytest.fixture
def agent() -> Iterator[Agent]:
    made = Agent()
    yield made
    for worker in list(made.workers._idle):
        worker.close()


def test_a_body_far_larger_than_the_window_comes_back_whole(agent: Agent) -> None:
    data = os.urandom(3 << 20)
    stream = agent.ask("echo", b'{"size":%d}\n' % len(data) + data)
    result = agent.result(stream)
    assert isinstance(result, Answered)
    assert agent.data(stream) == data


def test_one_worker_does_one_job_after_the_other(agent: Agent) -> None:
    agent.workers.stand_by()
    pids = set()
    for _ in range(3):
        result = agent.result(agent.ask("echo", b'{"size":0}\n'))
        assert isinstance(result, Answered)
        pids.add(result.message["pid"])
    assert len(pids) == 1


def test_a_fault_comes_after_what_was_sent_and_leftovers_are_swallowed(agent: Agent) -> None:
    stream = agent.ask("fault", b"a body that nobody reads")
    result = agent.result(stream)
    assert isinstance(result, Failed)
    assert result.fault.brief == "gone"
    assert agent.data(stream) == b"before"
    assert isinstance(agent.result(agent.ask("echo", b'{"size":3}\nabc')), Answered)


def test_a_body_that_ends_too_early_is_told(agent: Agent) -> None:
    result = agent.result(agent.ask("echo", b'{"size":10}\nabc'))
    assert isinstance(result, Failed)
    assert result.fault.brief == "the body ends in the middle of a file"


def test_a_worker_that_dies_fails_its_job_alone(agent: Agent) -> None:
    streams = [agent.ask("die", b""), agent.ask("echo", b'{"size":0}\n')]
    assert isinstance(agent.result(streams[0]), Failed)
    assert isinstance(agent.result(streams[1]), Answered)


def test_more_jobs_than_workers_wait_for_their_turn(agent: Agent) -> None:
    hanging = [agent.ask("hang") for _ in range(6)]
    waiting = agent.ask("echo", b'{"size":3}\nabc')
    given_up = agent.ask("echo", b'{"size":0}\n')
    agent.turn()
    agent.host.cancel(given_up)
    assert isinstance(agent.result(given_up), Failed)
    agent.host.cancel(hanging[0])
    assert isinstance(agent.result(hanging[0]), Failed)
    assert isinstance(agent.result(waiting), Answered)
    assert agent.data(waiting) == b"abc"
    for stream in hanging[1:]:
        agent.host.cancel(stream)
        agent.result(stream)
    agent.until(lambda: agent.workers._count == len(agent.workers._idle))


def test_what_must_not_be_killed_is_asked_to_stop_and_goes_on_to_live(agent: Agent) -> None:
    first = agent.result(agent.ask("patient", b""))
    stream = agent.ask("patient")
    agent.turn()
    agent.host.cancel(stream)
    result = agent.result(stream)
    assert isinstance(result, Failed)
    assert result.fault.brief == "it was cancelled"
    again = agent.result(agent.ask("patient", b""))
    assert isinstance(first, Answered)
    assert isinstance(again, Answered)
    assert first.message == again.message


def test_a_lost_host_frees_its_workers(agent: Agent) -> None:
    agent.ask("hang")
    agent.ask("patient")
    agent.turn()
    for request in agent.requests.values():
        request.close()
    agent.until(lambda: agent.workers._count == len(agent.workers._idle) == 1)
