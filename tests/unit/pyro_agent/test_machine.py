"""Streams reach their requests; unknown verbs and strangers' mistakes stay on their own stream."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from pyro_agent.command import Command
from pyro_agent.helper import FREEZE, SYNC, DiskHelper, Reply
from pyro_agent.line import Line
from pyro_agent.loop import Loop
from pyro_agent.machine import VERBS, Machine
from pyro_agent.pool import Pool
from pyro_wire.events import Answered, Event, Failed
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
        self.machine = Machine(Loop(), cast("Pool", self.pool), cast("DiskHelper", self.helper))
        self.host, self.guest = Mux(initiator=True), Mux(initiator=False)
        self.machine._line = cast("Line", SimpleNamespace(mux=self.guest))
        self.host.hello("n")
        self.carry()

    def carry(self) -> list[Event]:
        happened: list[Event] = []
        while self.host.outgoing() or self.guest.outgoing():
            self.machine._dispatch(self.guest.receive(bytes(self.host.outgoing())))
            self.host.wrote(len(self.host.outgoing()))
            for request in list(self.machine._requests.values()):
                request.guarded(request.on_turn)
            happened += self.host.receive(bytes(self.guest.outgoing()))
            self.guest.wrote(len(self.guest.outgoing()))
        return happened

    def ask(self, message: Message) -> Event:
        self.host.open(message)
        (event,) = self.carry()
        return event


@pytest.fixture
def agent() -> Agent:
    return Agent()


def test_ping_tells_the_state(agent: Agent) -> None:
    event = agent.ask({"verb": "ping"})
    assert isinstance(event, Answered)
    assert event.message["attached"] is False
    assert event.message["commands"] == 0


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({}, "invalid_request"),
        ({"verb": 1}, "invalid_request"),
        ({"verb": "reboot"}, "invalid_request"),
        ({"verb": "exec"}, "invalid_request"),
        ({"verb": "exec", "argv": ["true"]}, "conflict"),
        ({"verb": "attach"}, "invalid_request"),
        ({"verb": "sync"}, "conflict"),
        ({"verb": "freeze"}, "conflict"),
        ({"verb": "thaw"}, "conflict"),
    ],
)
def test_a_request_that_cannot_be_is_a_fault_and_the_agent_goes_on(
    agent: Agent, message: Message, code: str
) -> None:
    event = agent.ask(message)
    assert isinstance(event, Failed)
    assert event.fault.code == code
    assert isinstance(agent.ask({"verb": "ping"}), Answered)


def test_disk_verbs_are_the_helpers_and_its_errors_are_told(agent: Agent) -> None:
    agent.machine.attached(0, disk=True, env_defaults={})
    assert agent.pool.attached
    assert agent.ask({"verb": "sync"}) == Answered(1, {"ms": 1.5, "expired": False})
    agent.helper.reply = Reply(16, False, 0.1)
    event = agent.ask({"verb": "freeze"})
    assert isinstance(event, Failed)
    assert event.fault.brief == "the disk refused: Device or resource busy"
    assert agent.helper.asked == [SYNC, FREEZE]


def test_settling_waits_for_the_runners(agent: Agent) -> None:
    agent.machine.attached(0, disk=True, env_defaults={})
    agent.pool.full = False
    agent.host.open({"verb": "settle"})
    assert agent.carry() == []
    agent.pool.full = True
    agent.machine._requests[1].on_turn()
    assert agent.carry() == [Answered(1, {"ms": 1.5})]


def test_a_new_host_ends_what_the_old_one_asked(agent: Agent) -> None:
    agent.pool.full = False
    agent.host.open({"verb": "settle"})
    agent.carry()
    old = agent.machine._requests[1]
    agent.host = Mux(initiator=True)
    agent.host.hello("n2")
    agent.carry()
    assert not old.open
    assert not agent.machine._requests
    assert isinstance(agent.ask({"verb": "ping"}), Answered)


class Runners:
    """A pool that counts."""

    attached = False

    def __init__(self) -> None:
        self.ready = 3

    @property
    def full(self) -> bool:
        return self.ready == 3

    def add(self) -> None:
        self.ready += 1

    def start(self, command: Command, env_defaults: dict[str, str]) -> SimpleNamespace:
        self.ready -= 1
        return SimpleNamespace()


def test_runners_are_made_again_after_a_rest_though_a_command_still_runs() -> None:
    pool = Runners()
    machine = Machine(Loop(), cast("Pool", pool), cast("DiskHelper", Helper()))
    for _ in range(3):
        machine.start_command(Command(("x",), {}, "/", None, False, None))
    assert pool.ready == 0
    while not pool.full:
        machine.loop.step()
    assert machine.commands == 3
    assert not machine.settled


def test_a_machine_that_cannot_fork_says_so_and_goes_on(agent: Agent) -> None:
    agent.pool.full = False

    def refuse() -> None:
        raise OSError(12, "Cannot allocate memory")

    agent.pool.add = refuse
    agent.machine._replenish()
    assert isinstance(agent.ask({"verb": "ping"}), Answered)


def test_every_verb_has_a_name_a_host_may_use() -> None:
    disk = ["attach", "detach", "freeze", "prepare", "rehearse", "settle", "sync", "thaw"]
    files = [
        "file.read",
        "file.stat",
        "tree.apply",
        "tree.changes",
        "tree.list",
        "tree.manifest",
        "tree.read",
        "tree.search",
    ]
    assert sorted(VERBS) == sorted(["connect", "exec", "ping", "pty", "secret.put", *disk, *files])
