"""A directory of the host filled with what a guest sends of the files that it listed before."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pyro_mcp.errors import Conflict, GuestFailed, LimitReached
from pyro_mcp.progress import step
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.export.filling import Filling
from pyro_mcp.workspaces.export.streaming import TreeStream
from pyro_mcp.workspaces.export.tree import Item, Tree

TOKEN = b"the-token-of-this"
LISTED = Tree(
    {
        b"src": Item("dir", 0o755),
        b"src/run": Item("file", 0o755, 3),
        b"src/latest": Item("link", target=b"run"),
        b"empty": Item("file", 0o644, 0),
    }
)


def sent(path: str, content: bytes = b"", kind: str = "file") -> bytes:
    """An entry as the agent sends it."""
    return json.dumps({"path": path, "kind": kind, "size": len(content)}).encode() + b"\n" + content


WHOLE = sent("empty") + sent("src", kind="dir") + sent("src/latest", kind="link") + sent("src/run", b"abc")


@pytest.fixture
def top(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def filled(top: int, data: bytes, *, size: int = 1 << 20, room: int = 100, tree: Tree = LISTED) -> Filling:
    """What becomes of a stream that comes in pieces of so many bytes."""
    with step("copying") as progress:
        filling = Filling(top, tree, room=room, redactor=Redactor({"T": TOKEN}), progress=progress)
    with closing(filling):
        stream = TreeStream(filling)
        for at in range(0, len(data), size):
            stream.feed(data[at : at + size])
        stream.end()
    filling.require_all()
    return filling


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_everything_is_written_however_it_comes(top: int, tmp_path: Path, size: int) -> None:
    filling = filled(top, WHOLE, size=size)
    assert (filling.size, filling.secrets) == (3, {})
    assert (tmp_path / "src/run").read_bytes() == b"abc"
    assert (tmp_path / "src/run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "empty").read_bytes() == b""
    assert (tmp_path / "src/latest").readlink() == Path("run")


def test_what_was_not_listed_is_passed_over(top: int, tmp_path: Path) -> None:
    filled(top, sent("new", b"since") + sent("src/pipe", kind="other") + WHOLE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "src"]


@pytest.mark.parametrize(
    "data", [sent("empty"), WHOLE.replace(b'"file", "size": 3', b'"link", "size": 3').removesuffix(b"abc")]
)
def test_what_went_away_or_became_something_else_meanwhile(top: int, data: bytes) -> None:
    with pytest.raises(Conflict, match="src/run changed while it was copied"):
        filled(top, data)


@pytest.mark.parametrize("data", [WHOLE + sent("src/run", b"xyz"), WHOLE[:-1], WHOLE + b"{", sent("\ud800")])
def test_what_no_honest_guest_sends(top: int, data: bytes) -> None:
    with pytest.raises(GuestFailed, match="makes no sense"):
        filled(top, data)


@pytest.mark.parametrize(
    "data", [sent("src/run", b"x" * 101), sent("new", b"x" * 60) + sent("more", b"x" * 60)]
)
def test_more_than_there_is_room_for(top: int, data: bytes) -> None:
    with pytest.raises(LimitReached, match="grew larger"):
        filled(top, data)


def test_secrets_are_found_also_where_they_come_in_two_pieces(top: int) -> None:
    data = WHOLE.replace(b'"size": 3}\nabc', b'"size": 17}\n' + TOKEN)
    assert filled(top, data, size=5).secrets == {b"src/run": ("T",)}
