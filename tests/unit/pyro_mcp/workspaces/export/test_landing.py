"""Files reach the host whole, where they were meant to, or not at all."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pyro_mcp.errors import Conflict, InvalidRequest, NotFound
from pyro_mcp.workspaces.export.below import new_file, put
from pyro_mcp.workspaces.export.landing import Landing
from pyro_mcp.workspaces.export.tree import Item

_KILLED = """
import os, signal, sys
from pathlib import Path
from pyro_mcp.workspaces.export.landing import Landing
landing = Landing(Path(sys.argv[1]), overwrite=False)
with landing.directory() if sys.argv[2] == "directory" else landing.file(0o644):
    os.kill(os.getpid(), signal.SIGKILL)
"""

_ITEMS = {b"d": Item("dir", 0o755), b"d/f": Item("file", 0o600, 1), b"l": Item("link", target=b"d/f")}


def land(output: Path, items: dict[bytes, Item] = _ITEMS, *, overwrite: bool = False) -> None:
    with closing(Landing(output, overwrite=overwrite)) as landing:
        landing.require_free(directory=True)
        with landing.directory() as top:
            for path, item in items.items():
                if item.kind != "file":
                    put(top, path, item)
                    continue
                with new_file(top, path, item.mode) as descriptor:
                    os.write(descriptor, b"x")
            landing.land_directory(items, 0o755)


def test_a_directory_lands_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    land(tmp_path / "out")
    assert (tmp_path / "out/l").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_is_there_stays_unless_it_may_be_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "d").mkdir(parents=True)
    (out / "d/f").write_text("mine")
    (out / "own").write_text("own")
    with pytest.raises(Conflict):
        land(out)
    assert (out / "d/f").read_text() == "mine"
    land(out, overwrite=True)
    assert ((out / "d/f").read_text(), (out / "own").read_text()) == ("x", "own")


def test_an_empty_directory_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    land(tmp_path / "out")
    assert (tmp_path / "out/d/f").read_text() == "x"


@pytest.mark.parametrize("place", ["out", "out/d"])
def test_no_link_of_the_host_is_followed(tmp_path: Path, place: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).symlink_to(victim)
    with pytest.raises(Conflict):
        land(tmp_path / "out", overwrite=True)
    assert not list(victim.iterdir())
    assert not list(tmp_path.glob(".pyro-*"))


def test_a_file_takes_the_place_of_a_link_not_of_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "out").symlink_to("victim")
    for overwrite in (False, True):
        with closing(Landing(tmp_path / "out", overwrite=overwrite)) as landing:
            with landing.file(0o644) as descriptor:
                os.write(descriptor, b"x")
            if overwrite:
                landing.land_file()
                continue
            with pytest.raises(Conflict):
                landing.land_file()
    assert ((tmp_path / "victim").read_text(), (tmp_path / "out").read_text()) == ("mine", "x")
    assert not (tmp_path / "out").is_symlink()


def test_a_fifo_is_never_replaced(tmp_path: Path) -> None:
    """Nor is a device: as root, an export to /dev/null would take it away from everybody."""
    (tmp_path / "out/d").mkdir(parents=True)
    for name in ("fifo", "out/d/f"):
        os.mkfifo(tmp_path / name)
    with (
        closing(Landing(tmp_path / "fifo", overwrite=True)) as landing,
        pytest.raises(Conflict, match="a FIFO"),
    ):
        landing.require_free(directory=False)
    with pytest.raises(Conflict, match="a FIFO"):
        land(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out/d/f").is_fifo()


def test_a_place_that_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Landing(tmp_path / "none/out", overwrite=False)
    with pytest.raises(InvalidRequest):
        Landing(Path("/"), overwrite=False)


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_the_next_export_removes_what_a_killed_one_left(tmp_path: Path, kind: str) -> None:
    words = [sys.executable, "-c", _KILLED, str(tmp_path / "out"), kind]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert list(tmp_path.glob(".pyro-*"))
    land(tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_what_another_export_is_writing_stays(tmp_path: Path) -> None:
    with closing(Landing(tmp_path / "out", overwrite=False)) as writing:
        with writing.file(0o644) as descriptor:
            os.write(descriptor, b"x")
        land(tmp_path / "other")
        writing.land_file()
    assert (tmp_path / "out").read_text() == "x"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]


def test_what_only_looks_like_a_leftover_stays(tmp_path: Path) -> None:
    (tmp_path / ".pyro-notes").write_text("mine")
    (tmp_path / ".pyro-0123456789abcdef").symlink_to(tmp_path)
    land(tmp_path / "out")
    assert (tmp_path / ".pyro-notes").read_text() == "mine"
    assert (tmp_path / ".pyro-0123456789abcdef").is_symlink()


def test_a_directory_that_is_not_there_is_told_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refused:
        Landing(tmp_path / "no" / "where", overwrite=False)
    assert refused.value.details == "No such file or directory"
