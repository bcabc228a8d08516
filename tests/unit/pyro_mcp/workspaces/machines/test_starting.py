"""Starting a workspace's machine: what is given to who makes it, and that a failure leaves no claim."""

from pathlib import Path

import pytest
from tests.unit.pyro_mcp.workspaces.pretended import FailingShop, Pretended, pretended

from pyro_mcp.environments.values import Environment, EnvironmentDefaults
from pyro_mcp.errors import NotFound
from pyro_mcp.keeper.plan import Leash
from pyro_mcp.workspaces.machines.values import WorkspaceDisk
from pyro_mcp.workspaces.registry import machines

_SECRET = {"TOKEN": b"a value that is long enough"}


def _start(workspace: Pretended, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Environment("debian:12", "d" * 64, Path("image"), EnvironmentDefaults(workdir="/workspace"))
    monkeypatch.setattr(workspace.sessions.grounds, "environment_of", lambda record: there)
    workspace.sessions.starter.start(workspace.record)


def _machines(workspace: Pretended) -> int:
    with workspace.sessions.registry.reading() as reading:
        return len(machines.recorded(reading))


def test_a_machine_that_could_not_be_made_is_taken_off_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = FailingShop()
    with pretended(given=_SECRET, shop=shop) as workspace:
        with pytest.raises(RuntimeError, match="no machine today"):
            _start(workspace, monkeypatch)
        assert _machines(workspace) == 0
    disk, leash = shop.asked[0], shop.asked[3]
    assert isinstance(disk, WorkspaceDisk)
    assert (disk.secrets, disk.layers, disk.seed) == (_SECRET, (), None)
    assert isinstance(leash, Leash)
    assert (leash.with_client, leash.idle_stop_seconds) == (False, workspace.record.idle_stop_seconds)


def test_what_it_would_stand_on_is_found_before_anything_is_claimed() -> None:
    shop = FailingShop()
    with pretended(shop=shop) as workspace:
        with pytest.raises(NotFound, match="the image of debian:12"):
            workspace.sessions.starter.start(workspace.record)
        assert (_machines(workspace), shop.asked) == (0, [])
