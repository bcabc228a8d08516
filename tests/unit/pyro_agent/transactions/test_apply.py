"""A transaction is done whole or not at all, stays inside, and says what it did."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import cast

import pytest
from tests.unit.pyro_agent.workspace_root import Desk, Root, body
from tests.unit.pyro_agent.workspace_root import root as root

from pyro_agent.transactions import journal
from pyro_agent.transactions.apply import apply_tree
from pyro_agent.transactions.journal import Hands
from pyro_agent.transactions.operations import Step
from pyro_agent.workers.desk import Desk as RealDesk
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message, MessageError

Op = dict[str, object]


def carry_out(*operations: Op) -> Message:
    return apply_tree({}, cast("RealDesk", Desk(body(*operations))))


def refused(*operations: Op) -> tuple[str, str]:
    with pytest.raises(FaultError) as raised:
        carry_out(*operations)
    return raised.value.fault.code, raised.value.fault.brief


def write(path: str, data: bytes = b"new", **more: object) -> Op:
    return {"op": "write", "path": path, "data": data, **more}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_write_makes_its_folders_and_says_what_it_wrote(root: Root) -> None:
    answer = carry_out(write("a/b/c", b"hello"))
    assert root.tree() == {"a": None, "a/b": None, "a/b/c": b"hello"}
    entry = {"path": "a/b/c", "sha256": digest(b"hello"), "size": 5, "mode": 0o644, "created": True}
    assert answer == {"applied": 1, "entries": [entry], "more": False}


def test_a_replaced_file_keeps_its_mode(root: Root) -> None:
    (root.workspace / "run").write_text("old")
    (root.workspace / "run").chmod(0o750)
    carry_out(write("run"), write("made", mode=0o700))
    assert (root.workspace / "run").read_bytes() == b"new"
    assert (root.workspace / "run").stat().st_mode & 0o7777 == 0o750
    assert (root.workspace / "made").stat().st_mode & 0o7777 == 0o700


def test_a_link_is_replaced_and_not_followed_but_one_on_the_way_is(root: Root) -> None:
    (root.path / "tmp/victim").write_text("precious")
    (root.workspace / "link").symlink_to("/tmp/victim")
    (root.workspace / "out").symlink_to("/tmp")
    (root.workspace / "far").symlink_to("../../../../../../tmp")
    carry_out(write("link"), write("out/one"), write("far/two"))
    assert (root.path / "tmp/victim").read_text() == "precious"
    assert (root.workspace / "link").read_bytes() == b"new"
    assert not (root.workspace / "link").is_symlink()
    assert (root.path / "tmp/one").read_bytes() == (root.path / "tmp/two").read_bytes() == b"new"


def test_names_may_be_anything(root: Root) -> None:
    odd = os.fsdecode(b"new\nline \xff")
    carry_out(write(odd), {"op": "symlink", "path": "l", "target": odd})
    assert (root.workspace / odd).read_bytes() == b"new"
    assert str((root.workspace / "l").readlink()) == odd


def test_operations_see_what_those_before_them_did(root: Root) -> None:
    (root.workspace / "d").mkdir()
    (root.workspace / "d/x").write_text("x")
    (root.workspace / "a").write_text("a")
    (root.workspace / "b").write_text("b")
    carry_out(
        {"op": "move", "path": "d", "to": "deep/e"},
        write("deep/e/x", b"changed"),
        {"op": "mkdir", "path": "d", "mode": 0o700},
        {"op": "move", "path": "a", "to": "t"},
        {"op": "move", "path": "b", "to": "a"},
        {"op": "move", "path": "t", "to": "b"},
        {"op": "chmod", "path": "b", "mode": 0o600},
    )
    expected = {"d": None, "deep": None, "deep/e": None, "deep/e/x": b"changed", "a": b"b", "b": b"a"}
    assert root.tree() == expected
    assert (root.workspace / "b").stat().st_mode & 0o7777 == 0o600


def test_a_file_becomes_a_folder_and_a_folder_a_file(root: Root) -> None:
    (root.workspace / "file").write_text("x")
    (root.workspace / "folder").mkdir()
    (root.workspace / "folder/inner").write_text("x")
    carry_out(
        {"op": "remove", "path": "file"},
        write("file/inner"),
        {"op": "remove", "path": "folder", "recursive": True},
        write("folder"),
    )
    assert root.tree() == {"file": None, "file/inner": b"new", "folder": b"new"}


def test_only_an_empty_folder_is_removed_if_empty(root: Root) -> None:
    (root.workspace / "left/inner").mkdir(parents=True)
    (root.workspace / "left/inner/file").write_text("x")
    (root.workspace / "kept").mkdir()
    (root.workspace / "kept/file").write_text("x")
    carry_out(
        {"op": "remove", "path": "left/inner/file"},
        *(
            {"op": "remove", "path": path, "if_empty": True}
            for path in ("left/inner", "left", "kept", "none")
        ),
        {"op": "remove", "path": "kept/file", "if_empty": True},
    )
    assert root.tree() == {"kept": None, "kept/file": b"x"}


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (write("full"), "conflict"),
        (write("file/below"), "conflict"),
        (write("here/", b""), "invalid_request"),
        (write(".."), "invalid_request"),
        (write(""), "invalid_request"),
        (write("/proc/self/x"), "invalid_request"),
        (write("/dev/null"), "invalid_request"),
        (write("loop/x"), "invalid_request"),
        (write("x" * 256), "invalid_request"),
        (write("x/" * 2100 + "x"), "invalid_request"),
        ({"op": "remove", "path": "none"}, "not_found"),
        ({"op": "remove", "path": "full"}, "conflict"),
        ({"op": "remove", "path": "/workspace", "recursive": True}, "invalid_request"),
        ({"op": "move", "path": "none", "to": "x"}, "not_found"),
        ({"op": "move", "path": "full", "to": "full/x"}, "invalid_request"),
        ({"op": "move", "path": "file", "to": "full"}, "conflict"),
        ({"op": "chmod", "path": "none", "mode": 0o644}, "not_found"),
        ({"op": "chmod", "path": "loop", "mode": 0o644}, "invalid_request"),
        ({"op": "mkdir", "path": "file"}, "conflict"),
        (write("file", expect={"absent": True}), "conflict"),
        (write("file", expect={"sha256": "0" * 64}), "conflict"),
        (write("none", expect={"present": True}), "conflict"),
        ({"op": "remove", "path": "none", "expect": {"sha256": "0" * 64}}, "conflict"),
    ],
)
def test_what_cannot_be_done_stops_everything(root: Root, operation: Op, code: str) -> None:
    (root.workspace / "full").mkdir()
    (root.workspace / "full/x").write_text("x")
    (root.workspace / "file").write_text("x")
    (root.workspace / "loop").symlink_to("loop")
    before = root.tree()
    assert refused(write("good"), dict(operation), write("better"))[0] == code
    assert root.tree() == before
    assert not list((root.disk / "pyro").rglob("*.*"))


def test_every_broken_expectation_is_named(root: Root) -> None:
    (root.workspace / "a").write_text("a")
    (root.workspace / "b").write_text("b")
    with pytest.raises(FaultError) as raised:
        carry_out(write("a", expect={"absent": True}), write("b", expect={"sha256": digest(b"c")}))
    fault = raised.value.fault
    assert fault.brief == "a: it exists (and 1 more)"
    assert fault.details == "b: its content is not the expected one"
    with pytest.raises(FaultError) as raised:
        carry_out(write("a", expect={"absent": True}))
    assert (raised.value.fault.brief, raised.value.fault.details) == ("a: it exists", None)
    carry_out(write("a", expect={"sha256": digest(b"a")}), write("c", expect={"absent": True}))


@pytest.mark.parametrize(
    "sent",
    [
        b"garbage\n",
        b'{"op":"write","path":"x"}\n',
        b'{"op":"rename","path":"x"}\n',
        b'{"op":"chmod","path":"x"}\n',
        b'{"op":"symlink","path":"x","target":""}\n',
        b'{"op":"remove","path":"x","expect":1}\n',
        b'{"op":"remove","path":"a\\u0000b"}\n',
    ],
)
def test_a_malformed_operation_is_told(root: Root, sent: bytes) -> None:
    with pytest.raises(MessageError):
        apply_tree({}, cast("RealDesk", Desk(body(write("good")) + sent)))
    assert root.tree() == {}


def test_a_full_disk_is_met_before_anything_changes(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("pyro_agent.transactions.staging._write", full)
    assert refused(write("a")) == ("limit_reached", "a: No space left on device")
    assert root.tree() == {}


def test_a_refusal_in_the_middle_is_told_as_that(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Step] = []

    def do(_: Hands, step: Step) -> None:
        done.append(step)
        if len(done) == 2:
            raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Hands, "do", do)
    assert refused(write("a"), write("b")) == (
        "guest_failed",
        "the disk refused in the middle: Read-only file system",
    )
    assert not list((root.disk / "pyro").rglob("*.*"))


def test_what_a_dead_worker_committed_is_done_first(root: Root) -> None:
    (root.disk / "pyro/txn").mkdir()
    journal.Journal.commit("dead", [Step("make", "/workspace/d", mode=0o755)])
    carry_out(write("a"))
    assert root.tree() == {"d": None, "a": b"new"}
    assert not list((root.disk / "pyro").rglob("*.*"))


def test_one_file_less_needs_no_room(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk full to its last block takes no journal; a removal is what makes room on it."""
    (root.workspace / "file").write_text("x")
    (root.workspace / "link").symlink_to("file")
    (root.workspace / "folder").mkdir()
    free = os.statvfs(root.path)
    full = os.statvfs_result((*tuple(free)[:3], 0, 0, *tuple(free)[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    for name in ("file", "link"):
        carry_out({"op": "remove", "path": name})
    assert not os.path.exists(journal.FOLDER)  # noqa: PTH110
    with pytest.raises(FaultError, match="full"):
        carry_out({"op": "remove", "path": "folder", "recursive": True})
    assert root.tree() == {"folder": None}


@pytest.mark.parametrize("target", ["way", "nowhere", "folder"])
def test_a_link_makes_way_for_a_folder(root: Root, target: str) -> None:
    """What lies behind the link on the disk, or that it leads to itself, is of no account any more."""
    (root.workspace / "folder/a").mkdir(parents=True)
    (root.workspace / "way").symlink_to(target)
    folders: list[Op] = [{"op": "mkdir", "path": path, "mode": 0o755} for path in ("way", "way/a")]
    carry_out({"op": "remove", "path": "way"}, *folders, write("way/a/b"))
    assert root.tree() == {"folder": None, "folder/a": None, "way": None, "way/a": None, "way/a/b": b"new"}
