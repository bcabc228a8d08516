"""What a guest may say of its files, and what it gets no further with."""

import pytest

from pyro_mcp.errors import GuestFailed
from pyro_mcp.workspaces.export.tree import read_tree
from pyro_wire.messages import Message


def directory(path: str) -> Message:
    return {"path": path, "kind": "dir", "mode": 0o755, "size": 0}


def file(path: str, mode: int = 0o644) -> Message:
    return {"path": path, "kind": "file", "mode": mode, "size": 1}


def link(path: str, target: str) -> Message:
    return {"path": path, "kind": "link", "mode": 0o777, "size": 1, "target": target}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "..",
        "../x",
        "d/../x",
        "d/..",
        ".",
        "d/./x",
        "d//x",
        "d/",
        "n\0l",
        "x" * 256,
        "d/" * 2500 + "x",
    ],
)
def test_a_path_that_is_not_below_is_a_lie(path: str) -> None:
    with pytest.raises(GuestFailed):
        read_tree([directory("d"), file(path)])


@pytest.mark.parametrize(
    "records",
    [
        [file("a"), file("a")],
        [file("a"), file("a/b")],
        [link("a", "d"), file("a/b")],
        [file("d/a")],
        [{"path": "a", "kind": "file", "mode": 0o644}],
        [{"path": "a", "kind": "file", "mode": 0o100644, "size": 0}],
        [{"path": "a", "kind": "link", "mode": 0o777, "size": 0}],
    ],
)
def test_a_tree_that_cannot_be_is_a_lie(records: list[Message]) -> None:
    with pytest.raises(GuestFailed):
        read_tree(records)


@pytest.mark.parametrize(
    ("target", "stays"),
    [
        ("f", True),
        ("../f", True),
        ("../missing", True),
        ("missing", True),
        (".", True),
        ("..", True),
        ("../d/e/..", True),
        ("../..", False),
        ("../../d/f", False),
        ("/workspace/f", False),
        ("", False),
        # What is missing here may be a link on the host.
        ("missing/../f", False),
        ("f/../f", False),
        # d/e/up leads to the top: one more step back is outside, though the words look as if it was not.
        ("e/up/..", False),
        ("e/up/f", True),
        ("e/loop", False),
    ],
)
def test_a_link_is_kept_only_when_it_never_steps_outside(target: str, stays: bool) -> None:
    records = [
        directory("d"),
        directory("d/e"),
        file("d/f"),
        link("d/e/up", "../.."),
        link("d/e/loop", "loop"),
        link("d/l", target),
    ]
    assert (b"d/l" in read_tree(records).items) is stays


def test_devices_are_left_out_and_modes_are_tamed() -> None:
    tree = read_tree(
        [{"path": "p", "kind": "other", "mode": 0o666, "size": 0}, file("s", 0o6777), file("private", 0o400)]
    )
    assert list(tree.left_out) == [b"p"]
    assert [item.mode for item in tree.items.values()] == [0o755, 0o600]


def test_any_name_that_a_host_can_have_is_kept() -> None:
    assert list(read_tree([file("line\nbreak"), file("\udcff"), file(" "), file("...")]).items) == [
        b"line\nbreak",
        b"\xff",
        b" ",
        b"...",
    ]
