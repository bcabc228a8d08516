import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.workspaces.trees import Git, Tree, changes_between, patched

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.diff import Change, Entry, diff_trees
from pyro_mcp.workspaces.diff import report as report_module


def regular(content: bytes) -> Entry:
    return Entry("regular", content)


def test_a_changed_file_is_told_with_its_counts_and_patch() -> None:
    model = diff_trees([Change(b"src/x", regular(b"a\nb\n"), Entry("executable", b"a\nc\nd\n"))]).to_model()
    (file,) = model.files
    assert (file.path, file.status, file.insertions, file.deletions) == ("src/x", "modified", 2, 1)
    assert (file.old_mode, file.new_mode, file.binary) == ("100644", "100755", False)
    assert model.patch_exact
    assert model.patch == textwrap.dedent(
        """\
        diff --git a/src/x b/src/x
        old mode 100644
        new mode 100755
        index 422c2b7..6372083
        --- a/src/x
        +++ b/src/x
        @@ -1,2 +1,3 @@
         a
        -b
        +c
        +d
        """
    )


def test_a_file_that_did_not_change_is_not_shown() -> None:
    assert diff_trees([Change(b"x", regular(b"a"), regular(b"a"))]).files == ()


def test_each_format_gives_its_own_text_alone() -> None:
    diff = diff_trees([Change(b"x", None, regular(b"a\n"))])
    stat, names = diff.to_model("stat"), diff.to_model("name-status", ignored=3, not_shown=1)
    assert (stat.patch, stat.stat) == (None, " x | 1 +\n 1 file changed, 1 insertion(+)\n")
    assert (names.stat, names.name_status, names.ignored, names.not_shown) == (None, "A\tx\n", 3, 1)


def test_a_moved_file_is_a_rename_and_a_thousand_are() -> None:
    old = [Change(b"old/%d" % n, regular(b"%d\n" % n), None) for n in range(1000)]
    new = [Change(b"new/%d" % n, None, regular(b"%d\n" % n)) for n in range(1000)]
    files = diff_trees(old + new).files
    assert len(files) == 1000
    assert all(file.record.status == "renamed" and file.record.similarity == 100 for file in files)
    assert files[0].record.old_path == files[0].record.path.replace("new", "old")


def test_a_file_that_became_a_link_is_one_record_and_two_patches(tmp_path: Path) -> None:
    old: Tree = {b"x": ("regular", b"a\n")}
    new: Tree = {b"x": ("symlink", b"target")}
    diff = diff_trees(changes_between(old, new))
    assert [(file.record.status, file.record.old_mode, file.record.new_mode) for file in diff.files] == [
        ("type-changed", "100644", "120000")
    ]
    assert Git(tmp_path).apply(old, diff.patch()) == new


def test_a_link_whose_name_became_a_directory_is_no_rename(tmp_path: Path) -> None:
    old: Tree = {b"x": ("symlink", b"target")}
    new: Tree = {b"x/y": ("symlink", b"target")}
    patch = diff_trees(changes_between(old, new)).patch()
    assert Git(tmp_path).apply(old, patch) == new


def test_a_name_that_git_would_misread_is_quoted(tmp_path: Path) -> None:
    old: Tree = {b"trail /src": ("executable", b"")}
    patch = diff_trees(changes_between(old, {})).patch()
    assert Git(tmp_path).apply(old, patch) == {}


def test_text_that_is_not_utf_8_is_readable_and_there_in_bytes() -> None:
    model = diff_trees([Change(b"\xff", regular(b"\xe9\n"), regular(b"\xe8\n"))]).to_model()
    assert not model.patch_exact
    assert "-\\xe9\n+\\xe8\n" in (model.patch or "")
    assert model.patch_bytes
    assert b"-\xe9\n+\xe8\n" in model.patch_bytes
    assert (model.files[0].path, model.files[0].path_bytes) == ("%FF", "/w==")


def test_content_is_read_when_it_is_needed_and_once() -> None:
    read: list[str] = []

    def content() -> bytes:
        read.append("x")
        return b"a\n"

    lazy = Entry("regular", content)
    assert diff_trees([Change(b"x", None, lazy), Change(b"y", None, lazy)], paths=[b"x"]).patch()
    assert read == ["x"]


def test_a_file_too_large_is_told_of_but_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def content() -> bytes:
        raise AssertionError("read")

    large = Entry("regular", content, size=report_module.MAX_COMPARED + 1)
    diff = diff_trees([Change(b"big", regular(b""), large), Change(b"a", None, regular(b"a\n"))])
    assert diff.left_out == (b"big",)
    assert b"Binary files a/big and b/big differ\n" in diff.patch()
    assert diff.files[1].record.left_out == "larger than 64 MiB"


def test_content_left_out_for_its_size_is_not_taken_for_an_empty_file() -> None:
    large = Entry("regular", b"", size=report_module.MAX_COMPARED + 1)
    (file,) = diff_trees([Change(b"big", regular(b"a\n"), large)]).files
    assert (file.record.binary, file.record.deletions, file.new_size) == (
        True,
        0,
        report_module.MAX_COMPARED + 1,
    )
    assert file.record.left_out


def test_git_directories_are_never_shown() -> None:
    changes = [Change(path, None, regular(b"x")) for path in (b".git/config", b"sub/.git", b".gitignore")]
    assert [file.path for file in diff_trees(changes).files] == [b".gitignore"]


def test_a_tree_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="file and a directory"):
        diff_trees([Change(b"a", None, regular(b"")), Change(b"a/b", None, regular(b""))])
    with pytest.raises(InvalidRequest, match="twice"):
        diff_trees([Change(b"a", None, regular(b""))] * 2)


def test_a_path_two_thousand_levels_deep_is_shown_and_applied_again() -> None:
    new: Tree = {b"/".join([b"d"] * 2000): ("regular", b"x\n")}
    assert patched({}, diff_trees(changes_between({}, new)).patch())[0] == new


def test_ten_changes_cost_less_than_thirty_milliseconds() -> None:
    old = b"".join(b"line %d\n" % number for number in range(300))
    changes = [
        Change(b"src/f%d" % n, regular(old), regular(old.replace(b"line 99\n", b"%d\n" % n)))
        for n in range(10)
    ]
    diff_trees(changes)  # imports libgit2
    times = []
    for _ in range(5):
        began = time.perf_counter()
        diff_trees(changes).to_model()
        times.append(time.perf_counter() - began)
    assert min(times) < 0.03


HOSTILE = """
[core]
    abbrev = 12
    attributesFile = {home}/attributes
    quotePath = false
[diff]
    noprefix = true
    context = 0
    mnemonicPrefix = true
    renames = false
    algorithm = patience
    renameLimit = 1
[diff "odd"]
    binary = true
    textconv = touch {home}/executed
    command = touch {home}/executed
"""
PROGRAM = """
import sys
from pyro_mcp.workspaces.diff import Change, Entry, diff_trees
text = b"".join(b"%d\\n" % n for n in range(50))
changes = [
    Change(b"gone", Entry("regular", text), None),
    Change(b"new", None, Entry("regular", text + b"x\\n")),
    Change(b"\\xc3\\xa9", Entry("regular", text), Entry("regular", text.replace(b"25\\n", b"five\\n"))),
    Change(b".gitattributes", None, Entry("regular", b"* binary diff=odd\\n")),
]
sys.stdout.buffer.write(diff_trees(changes).patch())
"""


def test_nobodys_git_configuration_or_attributes_have_a_say(tmp_path: Path) -> None:
    plain, hostile = tmp_path / "plain", tmp_path / "hostile"
    for home in (plain, hostile):
        (home / ".config" / "git").mkdir(parents=True)
    (hostile / ".gitconfig").write_text(HOSTILE.format(home=hostile))
    for place in (
        hostile / "attributes",
        hostile / ".config" / "git" / "attributes",
        hostile / ".gitattributes",
    ):
        place.write_text("* binary diff=odd\n")
    patches = [_patch_at_home(home) for home in (plain, hostile)]
    assert patches[0] == patches[1]
    assert b"rename from gone" in patches[0]
    assert b'--- "a/\\303\\251"\n' in patches[0]
    assert not (hostile / "executed").exists()


def _patch_at_home(home: Path) -> bytes:
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "diff.context",
    }
    environment["GIT_CONFIG_VALUE_0"] = "0"
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, cwd=home, env=environment, check=True, capture_output=True).stdout
