"""Small questions about the machine and its disk."""

from __future__ import annotations

import pytest
from tests.unit.pyro_agent.agent import Agent

from pyro_agent.workers.helper import FREEZE, SYNC, Reply
from pyro_wire.events import Answered, Failed


@pytest.fixture
def agent() -> Agent:
    return Agent()


def test_ping_tells_the_state(agent: Agent) -> None:
    event = agent.ask({"verb": "ping"})
    assert isinstance(event, Answered)
    assert event.message["attached"] is False
    assert event.message["commands"] == 0


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
    agent.dispatcher._requests[1].on_turn()
    assert agent.carry() == [Answered(1, {"ms": 1.5})]
