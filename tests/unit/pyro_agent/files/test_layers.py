"""What an overlay's own layer says of a tree: whiteouts, redirects, opaque and touched files."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import cast

import pytest
from tests.unit.pyro_agent.workspace_root import Desk

from pyro_agent.disk import mounts
from pyro_agent.files import changes, layers
from pyro_agent.workers.desk import Desk as RealDesk
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message


class Overlay:
    """A seed and an upper directory, laid out as the kernel would."""

    def __init__(self, path: Path) -> None:
        self.upper, self.seed = path / "upper", path / "seed"
        self.attributes: dict[tuple[str, str], bytes] = {}
        self.upper.mkdir()
        self.seed.mkdir()

    def write(self, layer: Path, name: str, content: str = "", mode: int = 0o644) -> None:
        (layer / name).parent.mkdir(parents=True, exist_ok=True)
        (layer / name).write_text(content)
        (layer / name).chmod(mode)

    def whiteout(self, name: str) -> None:
        (self.upper / name).parent.mkdir(parents=True, exist_ok=True)
        os.mknod(self.upper / name, stat.S_IFCHR, os.makedev(0, 0))

    def mark(self, name: str, attribute: str, value: bytes) -> None:
        (self.upper / name).mkdir(parents=True, exist_ok=True)
        self.attributes[str(self.upper / name), f"trusted.overlay.{attribute}"] = value

    def changes(self, body: bytes = b"", /, **request: object) -> tuple[dict[str, str], Message, bytes]:
        desk = Desk(body)
        answer = changes.list_changes(request, cast("RealDesk", desk))
        if request.get("contents"):
            return {}, answer, bytes(desk.out)
        return {str(line["path"]): str(line["status"]) for line in desk.lines()}, answer, b""


@pytest.fixture
def overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Overlay:
    made = Overlay(tmp_path)
    monkeypatch.setattr(mounts, "WORKSPACE_UPPER", str(made.upper))
    monkeypatch.setattr(mounts, "SEED", str(made.seed))
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(made.seed))
    monkeypatch.setattr(layers, "_attribute", lambda path, name: made.attributes.get((path, name), b""))
    return made


def test_an_untouched_tree_has_no_changes(overlay: Overlay) -> None:
    overlay.write(overlay.seed, "a/b")
    assert overlay.changes()[:2] == ({}, {"changed": 0, "complete": True, "unseen": 0})


def test_files_are_added_deleted_modified_or_only_touched(overlay: Overlay) -> None:
    for name in ("same", "size", "bytes", "mode", "gone"):
        overlay.write(overlay.seed, name, "12")
    overlay.write(overlay.upper, "same", "12")
    overlay.write(overlay.upper, "size", "123")
    overlay.write(overlay.upper, "bytes", "13")
    overlay.write(overlay.upper, "mode", "12", 0o755)
    overlay.write(overlay.upper, "new/file", "1")
    overlay.whiteout("gone")
    found, _, _ = overlay.changes()
    expected = {"bytes": "modified", "gone": "deleted", "mode": "modified", "size": "modified"}
    assert found == {**expected, "new/file": "added"}


def test_links_are_compared_by_their_targets(overlay: Overlay) -> None:
    for name, old, new in (("same", "x", "x"), ("other", "x", "y")):
        (overlay.seed / name).symlink_to(old)
        (overlay.upper / name).symlink_to(new)
    assert overlay.changes()[0] == {"other": "modified"}


def test_a_deleted_folder_is_its_files(overlay: Overlay) -> None:
    overlay.write(overlay.seed, "d/a")
    overlay.write(overlay.seed, "d/e/b")
    overlay.whiteout("d")
    assert overlay.changes()[0] == {"d/a": "deleted", "d/e/b": "deleted"}


def test_a_folder_made_anew_hides_what_was_there(overlay: Overlay) -> None:
    overlay.write(overlay.seed, "d/a")
    overlay.write(overlay.seed, "d/b", "1")
    overlay.mark("d", "opaque", b"y")
    overlay.write(overlay.upper, "d/b", "1")
    assert overlay.changes()[0] == {"d/a": "deleted"}


def test_kinds_change_both_ways(overlay: Overlay) -> None:
    overlay.write(overlay.seed, "file")
    overlay.write(overlay.seed, "folder/inner")
    overlay.write(overlay.upper, "file/inner")
    overlay.write(overlay.upper, "folder")
    found, _, _ = overlay.changes()
    expected = {"file": "deleted", "file/inner": "added", "folder": "added", "folder/inner": "deleted"}
    assert found == expected


def test_a_renamed_folder_shows_what_it_holds(overlay: Overlay) -> None:
    overlay.write(overlay.seed, "a/one")
    overlay.write(overlay.seed, "a/two/deep")
    overlay.write(overlay.seed, "a/three")
    overlay.whiteout("a")
    overlay.mark("x/b", "redirect", b"/a")
    overlay.whiteout("x/b/three")
    overlay.mark("x/b/four", "redirect", b"two")  # moved again, inside
    overlay.whiteout("x/b/two")
    overlay.write(overlay.upper, "x/b/new")
    added = {"x/b/four/deep": "added", "x/b/new": "added", "x/b/one": "added"}
    assert overlay.changes()[0] == {
        "a/one": "deleted",
        "a/three": "deleted",
        "a/two/deep": "deleted",
        **added,
    }


def test_git_and_what_git_has_no_form_for_are_left_out(overlay: Overlay) -> None:
    overlay.write(overlay.upper, ".git/config")
    overlay.write(overlay.upper, "sub/.git/config")
    overlay.write(overlay.upper, ".pyro-staging/1")
    (overlay.upper / "empty").mkdir()
    os.mkfifo(overlay.upper / "pipe")
    assert overlay.changes()[0] == {}


def test_paths_choose(overlay: Overlay) -> None:
    for name in ("a/x", "a/y", "ab", "c"):
        overlay.write(overlay.upper, name)
    assert set(overlay.changes(paths=["a"])[0]) == {"a/x", "a/y"}
    assert set(overlay.changes(paths=["/workspace/a/x", "c"])[0]) == {"a/x", "c"}
    assert set(overlay.changes(paths=["/workspace"])[0]) == {"a/x", "a/y", "ab", "c"}
    with pytest.raises(FaultError, match="only /workspace"):
        overlay.changes(paths=["/etc"])


def test_contents_follow_their_line_within_the_limits(overlay: Overlay) -> None:
    overlay.write(overlay.seed, "f", "old\n")
    overlay.write(overlay.upper, "f", "new!\n")
    _, _, sent = overlay.changes(contents=True)
    line, _, rest = sent.partition(b"\n")
    assert line.endswith(b'"old_bytes":4,"new_bytes":5}')
    assert rest == b"old\nnew!\n"
    for limits in ({"max_bytes": 4}, {"max_total": 8}):
        _, _, sent = overlay.changes(contents=True, **limits)
        assert sent.endswith(b'"old_bytes":0,"new_bytes":0,"omitted":true}\n')


def test_a_limit_is_told(overlay: Overlay) -> None:
    overlay.write(overlay.upper, "a")
    overlay.write(overlay.upper, "b")
    assert overlay.changes(limit=1)[1] == {"changed": 1, "complete": False, "unseen": 0}


def test_a_workspace_that_began_empty_has_only_new_files(
    overlay: Overlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda _: False)
    overlay.write(overlay.upper, "d/a")
    assert overlay.changes()[0] == {"d/a": "added"}


def test_everything_is_directories_and_pipes_too(overlay: Overlay) -> None:
    for name in ("gone/a", "mode/b", "touched/c", "file", "moved/d"):
        overlay.write(overlay.seed, name)
    overlay.whiteout("gone")
    (overlay.upper / "mode").mkdir(mode=0o700)
    (overlay.upper / "touched").mkdir()
    (overlay.upper / "file").mkdir()
    (overlay.upper / "empty").mkdir()
    os.mkfifo(overlay.upper / "pipe")
    overlay.whiteout("moved")
    overlay.mark("there", "redirect", b"/moved")
    assert overlay.changes(everything=True)[0] == {
        "empty": "added", "file": "modified", "gone": "deleted", "gone/a": "deleted", "mode": "modified",
        "moved": "deleted", "moved/d": "deleted", "pipe": "added", "there": "added", "there/d": "added",
    }  # fmt: skip


def test_of_what_the_seed_has_not_only_what_is_named_is_looked_at(overlay: Overlay) -> None:
    for name in ("seeded/old", "seeded/folder/x"):
        overlay.write(overlay.seed, name)
    for name in (
        "seeded/old",
        "seeded/own",
        "named/in",
        "named/own",
        "whole/a/b",
        "modules/a/b",
        "seeded/folder",
    ):
        if name == "seeded/folder":
            overlay.write(overlay.upper, f"{name}/y")
        else:
            overlay.write(overlay.upper, name, "new")
    body = b'{"just":["named","named/in"]}\n{"whole":["whole","seeded/folder"]}\n'
    assert overlay.changes(body, only=True)[0] == {
        "seeded/old": "modified",
        "seeded/folder/y": "added",
        "named/in": "added",
        "whole/a/b": "added",
    }
    assert overlay.changes(b"", only=True)[0] == {"seeded/old": "modified"}


def test_all_that_lies_where_the_seed_had_a_file_counts_and_so_does_the_way_to_a_place(
    overlay: Overlay,
) -> None:
    overlay.write(overlay.seed, "file")
    overlay.write(overlay.upper, "file/mine/deep", "new")
    overlay.write(overlay.upper, "new/sub/there", "new")
    overlay.write(overlay.upper, "new/sub/other", "new")
    body = b'{"just":["new","new/sub"]}\n{"whole":["new/sub/there"]}\n'
    assert overlay.changes(body, only=True)[0] == {
        "file": "deleted", "file/mine/deep": "added", "new/sub/there": "added",
    }  # fmt: skip
    assert overlay.changes(body, only=True, paths=["new/sub/"])[0] == {"new/sub/there": "added"}


def test_programs_below_any_git_are_told_where_they_are_asked_for_and_nothing_else_is(
    overlay: Overlay,
) -> None:
    overlay.write(overlay.seed, "evil/.git/hooks/old", "a", 0o755)
    for name in (
        "evil/.git/hooks/post-checkout",
        ".git/hooks/pre-commit",
        ".git/hooks/pre-push.sample",
        "run",
    ):
        overlay.write(overlay.upper, name, "#!/bin/sh\n", 0o755)
    overlay.write(overlay.upper, ".git/objects/aa/bb", "x")
    paths, answer, _ = overlay.changes(git=True)
    assert set(paths) == {"evil/.git/hooks/post-checkout", ".git/hooks/pre-commit"}
    assert answer["complete"] is True
    assert set(overlay.changes()[0]) == {"run"}
