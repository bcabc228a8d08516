"""What is below a directory is listed in order, so deep and so long; hashed; or read with its contents."""

from __future__ import annotations

import hashlib
import json
import os
from typing import cast

import pytest
from tests.unit.pyro_agent.workspace_root import Desk, Root
from tests.unit.pyro_agent.workspace_root import root as root

from pyro_agent.files.listing import list_contents, list_tree, read_tree
from pyro_agent.workers.desk import Desk as RealDesk
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message

_DATA = bytes(range(256)) * 3000  # more than one block of it


def listed(**request: object) -> tuple[list[str], Message]:
    desk = Desk()
    answer = list_tree(request, cast("RealDesk", desk))
    return [str(line["path"]) for line in desk.lines()], answer


@pytest.fixture
def tree(root: Root) -> Root:
    for name in ("b/deep/er/x", "b/y", "a", ".git/config", "node_modules/z"):
        path = root.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (root.workspace / "l").symlink_to("b")
    return root


def test_a_list_is_in_order_so_deep_and_so_long(tree: Root) -> None:
    assert listed()[0] == [".git", "a", "b", "l", "node_modules"]
    assert listed(path="b", depth=2)[0] == ["deep", "deep/er", "y"]
    assert listed(path="l", depth=1)[0] == ["deep", "y"]
    assert listed(depth=9, ignore=[".git", "node_modules"])[0] == [
        *("a", "b", "b/deep", "b/deep/er", "b/deep/er/x", "b/y", "l")
    ]
    assert listed(depth=9, limit=3) == (
        [".git", ".git/config", "a"],
        {"count": 3, "more": True, "left_out": 0},
    )
    assert listed(path="a")[0] == [""]


def test_a_glob_narrows_a_list_before_it_is_cut(tree: Root) -> None:
    assert listed(depth=9, glob="**/x")[0] == ["b/deep/er/x"]
    assert listed(depth=9, glob="**/{a,y}")[0] == ["a", "b/y"]
    assert listed(depth=9, glob="b/*", limit=1) == (["b/deep"], {"count": 1, "more": True, "left_out": 0})
    assert listed(depth=2, glob="y")[0] == ["b/y"]


def test_a_tree_is_read_with_each_file_behind_its_line(tree: Root) -> None:
    (tree.workspace / "big").write_bytes(_DATA)
    (tree.workspace / "empty").write_bytes(b"")
    os.mkfifo(tree.workspace / "pipe")
    desk = Desk()
    assert read_tree({"ignore": [".git"]}, cast("RealDesk", desk)) == {"count": 12, "left_out": 0}
    found, rest = {}, bytes(desk.out)
    while rest:
        line, _, rest = rest.partition(b"\n")
        described = json.loads(line)
        size = described["size"] if described["kind"] == "file" else 0
        found[described["path"]], rest = (described["kind"], rest[:size]), rest[size:]
    assert list(found)[:3] == ["a", "b", "b/deep"]
    assert found["big"] == ("file", _DATA)
    assert found["b/deep/er/x"] == ("file", b"b/deep/er/x")
    assert (found["empty"], found["pipe"], found["l"]) == (("file", b""), ("other", b""), ("link", b""))


def test_a_file_that_gets_shorter_while_it_is_read_breaks_the_reading_off(
    tree: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "read", lambda file, most: b"")
    with pytest.raises(FaultError, match="changed while it was read"):
        read_tree({"path": "a"}, cast("RealDesk", Desk()))


def test_a_manifest_of_some_has_what_is_named_and_all_below_what_goes_as_a_whole(root: Root) -> None:
    for name in ("named/in", "named/own", "whole/a/b", "other/c"):
        (root.workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (root.workspace / name).write_bytes(b"")
    desk = Desk(b'{"just":["named","named/in"]}\n{"whole":["whole"]}\n')
    list_contents({"only": True}, cast("RealDesk", desk))
    assert [line["path"] for line in desk.lines()] == ["named", "named/in", "whole", "whole/a", "whole/a/b"]


def test_a_manifest_has_the_hash_of_every_file(tree: Root) -> None:
    (tree.workspace / "new\nline").mkdir()
    desk = Desk()
    answer = list_contents({"ignore": [".git", "node_modules"]}, cast("RealDesk", desk))
    found = {str(line["path"]): line for line in desk.lines()}
    assert answer == {"count": 8, "left_out": 0}
    assert found["b/y"]["sha256"] == hashlib.sha256(b"b/y").hexdigest()
    assert (found["l"]["kind"], found["l"]["target"]) == ("link", "b")
    assert found["new\nline"]["kind"] == "dir"
    assert "sha256" not in found["new\nline"]
