"""Directories of machines: found again when their owner is dead."""

import errno
import os
import threading
from pathlib import Path

import pytest

from pyro_mcp.errors import Conflict
from pyro_mcp.host.paths import Paths
from pyro_mcp.keeper.machine import places
from pyro_mcp.keeper.machine.places import claim, clear_left_behind, release


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "run", tmp_path / "config")


def test_a_place_in_use_stays(paths: Paths) -> None:
    place = claim(paths, "run-1")
    place.socket.touch()
    assert clear_left_behind(paths) == []
    assert place.directory.is_dir()
    release(place)
    assert not place.directory.exists()
    assert not place.socket.exists()


def test_a_place_whose_owner_is_dead_goes(paths: Paths) -> None:
    place = claim(paths, "run-1")
    place.socket.touch()
    (place.directory / "disk.qcow2").write_bytes(b"x")
    os.close(place.lock)
    assert clear_left_behind(paths) == ["run-1"]
    assert not place.directory.exists()
    assert not place.socket.exists()


def test_a_place_that_cannot_be_looked_at_stays(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """When descriptors are short, a machine that runs must not be taken for one that crashed."""
    place = claim(paths, "run-1")

    def none_left(*_: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as short:
        short.setattr(os, "open", none_left)
        assert clear_left_behind(paths) == []
    assert place.directory.is_dir()
    release(place)


def test_a_half_made_place_goes_with_its_maker(paths: Paths) -> None:
    claim(paths, "run-1")
    dead = paths.state / "machines" / f".new-{2**22 + 1}-run-2"
    dead.mkdir()
    own = paths.state / "machines" / f".new-{os.getpid()}-run-3"
    own.mkdir()
    clear_left_behind(paths)
    assert not dead.exists()
    assert own.exists()


def test_a_place_that_somebody_else_has_cannot_be_claimed(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_LEAVING_SECONDS", 0.05)
    claim(paths, "ws-1")
    with pytest.raises(Conflict, match="has not ended yet"):
        claim(paths, "ws-1")
    assert [place.name for place in (paths.state / "machines").iterdir()] == ["ws-1"]


def test_a_place_whose_owner_is_just_ending_is_waited_for(paths: Paths) -> None:
    """A client that started it was killed: its keeper needs a moment more."""
    before = claim(paths, "ws-1")
    ending = threading.Timer(0.2, os.close, (before.lock,))
    ending.start()
    after = claim(paths, "ws-1")
    ending.join()
    assert after.directory.is_dir()
    release(after)
