"""Streams reach their requests; unknown verbs and strangers' mistakes stay on their own stream."""

from __future__ import annotations

import pytest
from tests.unit.pyro_agent.agent import Agent

from pyro_wire.events import Answered, Failed
from pyro_wire.messages import Message
from pyro_wire.mux import Mux


@pytest.fixture
def agent() -> Agent:
    return Agent()


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


def test_a_new_host_ends_what_the_old_one_asked(agent: Agent) -> None:
    agent.pool.full = False
    agent.host.open({"verb": "settle"})
    agent.carry()
    old = agent.dispatcher._requests[1]
    agent.host = Mux(initiator=True)
    agent.host.hello("n2")
    agent.carry()
    assert not old.open
    assert not agent.dispatcher._requests
    assert isinstance(agent.ask({"verb": "ping"}), Answered)
