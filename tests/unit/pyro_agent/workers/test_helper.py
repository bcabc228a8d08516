"""The disk helper, without a disk."""

import errno

import pytest

from pyro_agent.base import system
from pyro_agent.workers import helper
from pyro_agent.workers.helper import FREEZE, THAW


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> helper._Disk:
    frozen = []

    def freeze(_: int) -> None:
        frozen.append(True)

    def thaw(_: int) -> None:
        if not frozen:
            raise OSError(errno.EINVAL, "it is not frozen")
        frozen.pop()

    monkeypatch.setattr(system, "sync_filesystem", lambda _: None)
    monkeypatch.setattr(system, "freeze_filesystem", freeze)
    monkeypatch.setattr(system, "thaw_filesystem", thaw)
    disk = helper._Disk()
    monkeypatch.setattr(disk, "_open", lambda: -1)
    return disk


def test_a_freeze_and_its_thaw(disk: helper._Disk) -> None:
    assert helper._timed(disk, FREEZE)[:2] == (0, False)
    assert disk.patience() is not None
    assert helper._timed(disk, THAW)[:2] == (0, False)
    assert disk.patience() is None


def test_a_freeze_that_ran_out_is_told_once(disk: helper._Disk) -> None:
    helper._timed(disk, FREEZE)
    disk.expire()
    assert disk.patience() is None
    assert helper._timed(disk, THAW)[:2] == (0, True)
    assert helper._timed(disk, THAW)[:2] == (0, False)


@pytest.mark.parametrize("runs_out", [False, True])
def test_a_disk_that_the_guest_itself_has_thawed_was_not_frozen_all_the_time(
    disk: helper._Disk, runs_out: bool
) -> None:
    helper._timed(disk, FREEZE)
    system.thaw_filesystem(-1)
    if runs_out:
        disk.expire()
    assert helper._timed(disk, THAW)[:2] == (0, True)
