import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyro_mcp.environments.staging import staged, sweep
from pyro_mcp.host.processes import identify


def test_what_is_staged_is_gone_afterwards_also_after_an_error(tmp_path: Path) -> None:
    def fail(place: Path) -> None:
        (place / "half").write_text("made")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), staged(tmp_path / "area") as place:
        fail(place)
    assert list((tmp_path / "area").iterdir()) == []


def test_a_dead_makers_things_are_swept_a_living_ones_stay(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as maker:
        known = identify(maker.pid)
        assert known is not None
        left = tmp_path / f"{known.pid}-{known.started}-0a0b"
        (left / "root").mkdir(parents=True)
        sweep(tmp_path)
        assert left.exists()
    with staged(tmp_path) as ours:
        sweep(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == [ours.name]


def test_a_number_used_again_does_not_protect(tmp_path: Path) -> None:
    me = identify(os.getpid())
    assert me is not None
    (tmp_path / f"{me.pid}-{me.started - 1}-0a0b").mkdir()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    sweep(tmp_path)
    sweep(tmp_path / "not there")
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
