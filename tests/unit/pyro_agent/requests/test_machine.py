"""Runners are made again when there is nothing better to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from tests.unit.pyro_agent.agent import Agent, Helper

from pyro_agent.base.loop import Loop
from pyro_agent.requests import machine as machines
from pyro_agent.requests.machine import Machine
from pyro_agent.runners.command import Command
from pyro_agent.runners.pool import Pool
from pyro_agent.workers.helper import DiskHelper
from pyro_agent.workers.processes import Workers
from pyro_wire.events import Answered


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
    loop = Loop()
    machine = Machine(loop, cast("Pool", pool), cast("DiskHelper", Helper()), Workers(loop, {}))
    for _ in range(3):
        machine.start_command(Command(("x",), {}, "/", None, False, None))
    assert pool.ready == 0
    while not pool.full:
        machine.loop.step()
    assert machine.commands == 3
    assert not machine.settled


def test_a_machine_that_cannot_fork_says_so_and_goes_on() -> None:
    agent = Agent()
    agent.pool.full = False

    def refuse() -> None:
        raise OSError(12, "Cannot allocate memory")

    agent.pool.add = refuse
    agent.machine._replenish()
    assert isinstance(agent.ask({"verb": "ping"}), Answered)


def test_runners_that_could_not_be_made_are_made_when_there_is_room_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machines, "_SHORTAGE_S", 0.0)
    agent = Agent()
    agent.pool.full = False
    refused: list[bool] = []

    def refuse_once() -> None:
        if not refused:
            refused.append(True)
            raise OSError(12, "Cannot allocate memory")
        agent.pool.full = True

    agent.pool.add = refuse_once
    agent.machine._replenish()
    while not agent.machine.settled:
        agent.machine.loop.step()
    assert refused
