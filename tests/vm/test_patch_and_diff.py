"""Patch apply and diff on real machines, held against git: random trees, random edits.

PYRO_DIFF_ROUNDS sets how many random changes are tried, PYRO_DIFF_SEED which; a failure names both.
"""

# Names are bytes here, so that every name is written as it is; pathlib has none.
# ruff: noqa: PTH101, PTH103, PTH106, PTH108, PTH114, PTH115, PTH116, PTH118, PTH120, PTH123, PTH208, PTH211

import base64
import io
import os
import random
import tarfile
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.opened import Opened, Opening, git, opening, outliving

from pyro_mcp.errors import Conflict, InvalidRequest
from pyro_mcp.models.diff import WorkspaceDiff
from pyro_mcp.workspaces.diff.baseline import diff_workspace
from pyro_mcp.workspaces.files import reading, writing
from pyro_mcp.workspaces.patch.applying import apply_patch

__all__ = ["opening"]
pytestmark = outliving
_ROUNDS = int(os.environ.get("PYRO_DIFF_ROUNDS", "6"))
_SEED = int(os.environ.get("PYRO_DIFF_SEED", "4"))
_NAMES = [
    b"a", b"b.py", b"with space", b"d\xc3\xa9j\xc3\xa0", b"odd\xff", b"tab\there", b'quo"te', b"-dash", b"line\nbreak", b"x" * 60,
]  # fmt: skip
_MANY = range(60)


def _random_content(chance: random.Random) -> bytes:
    lines = chance.choices(_MANY, k=chance.randrange(1, 60))
    kinds = [
        b"",
        b"no newline",
        b"".join(b"line %d\n" % line for line in lines),
        b"".join(b"crlf %d\r\n" % line for line in lines),
        b"\0" + chance.randbytes(len(lines) * 40),
        b"\xff\xfe latin\n" * len(lines),
    ]
    return chance.choice(kinds)


Node = tuple[str, bytes]
Tree = dict[bytes, Node]


@pytest.mark.timeout(60 + 10 * _ROUNDS)
def test_our_diff_and_our_patch_apply_do_what_git_does(opening: Opening, tmp_path: Path) -> None:
    """git apply of our diff on the seed, and our apply of git's diff on the seed, both give the identical tree."""
    chance = random.Random(_SEED)
    before = _random_tree(chance, 25)
    seed = tmp_path / "seed"
    _write(seed, before)
    with opening(seed) as opened:
        for number in range(_ROUNDS):
            after = _changed(chance, before)
            _unpack(opened, after)
            patch = _patch(opened)
            assert _git_applied(tmp_path / f"theirs-{number}", before, patch) == after, (
                f"{_SEED=} {number=}: our diff"
            )
            _unpack(opened, before)
            assert _patch(opened) == b"", f"{_SEED=} {number=}: what is as it was is no change"
            theirs = _git_diff(tmp_path / f"repository-{number}", before, after)
            if theirs:
                with opened.using() as session:
                    report = apply_patch(session, theirs, dry_run=False, strip="auto")
                assert report.applicable
            assert _read(opened) == after, f"{_SEED=} {number=}: our apply"
            _unpack(opened, before)


@pytest.fixture
def seeded(opening: Opening, tmp_path: Path) -> Opening:
    """A git repository to open."""
    seed = tmp_path / "seed"
    (seed / "src/deep").mkdir(parents=True)
    (seed / "src/deep/one.py").write_text("".join(f"line {number}\n" for number in range(30)))
    (seed / "src/two.py").write_text("two\n")
    (seed / ".gitignore").write_text("*.o\nbuild/\n!keep.o\n")
    git(seed, "init", "-q")
    git(seed, "add", "-A")
    git(seed, "commit", "-qm", "one")

    def opened(_: Path | None) -> AbstractContextManager[Opened]:
        return opening(seed)

    return opened


def test_a_touched_file_is_no_change_and_a_renamed_directory_is_renames(seeded: Opening) -> None:
    with seeded(None) as opened:
        opened.run("touch src/two.py; chmod 600 src/two.py; chmod 644 src/two.py")
        assert _diff(opened).files == ()
        opened.run("mv src/deep src/moved; echo more >> src/moved/one.py")
        told = [(file.status, file.old_path, file.path) for file in _diff(opened).files]
        assert told == [("renamed", "src/deep/one.py", "src/moved/one.py")]


def test_new_files_that_git_ignores_are_left_out_and_counted(seeded: Opening) -> None:
    with seeded(None) as opened:
        opened.run(
            "mkdir -p build/x sub; touch a.o keep.o build/x/y build/x/z sub/.git-not; echo '!b.o' > sub/.gitignore"
        )
        opened.run("touch sub/b.o sub/c.o; echo '*' > .git/info/exclude")
        diff = _diff(opened)
        assert [file.path for file in diff.files] == ["keep.o", "sub/.git-not", "sub/.gitignore", "sub/b.o"]
        assert diff.ignored == 4
        with opened.using() as session:
            everything = diff_workspace(session, paths=["build"], format="stat", include_ignored=True)
        assert [file.path for file in everything.files] == ["build/x/y", "build/x/z"]


def test_paths_of_nothing_are_told_and_what_is_not_wanted_is_left_out(seeded: Opening) -> None:
    with seeded(None) as opened:
        opened.run("echo 2 > src/two.py; rm src/deep/one.py; mkdir out; touch out/x")
        with opened.using() as session:
            found = diff_workspace(
                session, paths=[".gitignore", "src/deep/one.py", "s/two.py", "*.rs"], format="stat"
            )
            assert ([file.path for file in found.files], found.unmatched) == (
                ["src/deep/one.py"],
                ("s/two.py", "*.rs"),
            )
            found = diff_workspace(
                session, paths=["**/*.py", "*.gitignore", ":!src/deep", ":!none"], format="stat"
            )
            assert ([file.path for file in found.files], found.unmatched) == (["src/two.py"], ())
            with pytest.raises(InvalidRequest, match="no path and no glob"):
                diff_workspace(session, paths=[":(icase)SRC"], format="stat")


def test_what_tools_generate_is_left_out_and_counted_without_git_too(
    opening: Opening, tmp_path: Path
) -> None:
    seed = tmp_path / "sdist"
    (seed / "web/node_modules").mkdir(parents=True)
    (seed / "web/node_modules/seeded.js").write_text("one\n")
    (seed / "a.py").write_text("one\n")
    with opening(seed) as opened:
        opened.run(
            "mkdir -p .venv/lib build src/__pycache__ node_modules; echo two > a.py; echo x > build/out"
        )
        opened.run(
            "seq 9 > .venv/lib/x; touch src/__pycache__/a.pyc node_modules/y; touch web/node_modules/new.js"
        )
        opened.run("echo two > web/node_modules/seeded.js")
        shown = ["a.py", "build/out", "web/node_modules/new.js", "web/node_modules/seeded.js"]
        diff = _diff(opened)
        assert ([file.path for file in diff.files], diff.ignored, diff.generated) == (shown, 0, 3)
        assert b".venv" not in _patch(opened)
        with opened.using() as session:
            everything = diff_workspace(session, paths=(), format="name-status", include_ignored=True)
        assert (len(everything.files), everything.generated) == (7, 0)
        opened.run("printf '*.py\\n!.venv/\\n' > .gitignore; touch b.py")
        diff = _diff(opened)
        assert [file.path for file in diff.files] == [".gitignore", ".venv/lib/x", "a.py", "b.py", *shown[1:]]
        assert diff.generated == 2


def test_a_patch_that_does_not_fit_says_why_and_changes_nothing(seeded: Opening) -> None:
    bad = b"--- a/src/two.py\n+++ b/src/two.py\n@@ -1 +1 @@\n-three\n+four\n"
    good = b"--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+new\n"
    with seeded(None) as opened, opened.using() as session:
        dry = apply_patch(session, good + bad, dry_run=True, strip="auto")
        assert not dry.applicable
        with pytest.raises(Conflict, match="does not apply"):
            apply_patch(session, good + bad, dry_run=False, strip="auto")
        assert _diff(opened).files == ()
        envelope = "*** Begin Patch\n*** Add File: new\n+new\n*** Update File: src/two.py\n@@\n-two\n+2\n*** End Patch\n"
        assert apply_patch(session, envelope, dry_run=False, strip="auto").applicable
        assert [file.path for file in _diff(opened).files] == ["new", "src/two.py"]


def test_a_directory_that_a_patch_empties_goes_and_a_file_may_take_its_place(seeded: Opening) -> None:
    whole = "".join(f"-line {number}\n" for number in range(30))
    gone = f"--- a/src/deep/one.py\n+++ /dev/null\n@@ -1,30 +0,0 @@\n{whole}"
    there = "--- /dev/null\n+++ b/src/deep\n@@ -0,0 +1 @@\n+a file\n"
    with seeded(None) as opened:
        for patch, found in ((gone, "src src/two.py"), (gone + there, "src src/deep src/two.py")):
            with opened.using() as session:
                apply_patch(session, patch, dry_run=False, strip="auto")
            assert " ".join(opened.run("find src | sort").split()) == found
            opened.run("rm -rf src/deep && mkdir src/deep && seq -f 'line %g' 0 29 > src/deep/one.py")


def test_no_patch_goes_through_a_link(seeded: Opening) -> None:
    patch = b"--- /dev/null\n+++ b/out/x\n@@ -0,0 +1 @@\n+x\n"
    with seeded(None) as opened:
        opened.run("ln -s /etc out")
        with opened.using() as session, pytest.raises(Conflict):
            apply_patch(session, patch, dry_run=False, strip="auto")
        opened.run("! test -e /etc/x")


def _diff(opened: Opened) -> WorkspaceDiff:
    with opened.using() as session:
        return diff_workspace(session, paths=(), format="name-status")


def _patch(opened: Opened) -> bytes:
    with opened.using() as session:
        found = diff_workspace(session, paths=(), format="patch")
    return found.patch_bytes if found.patch_bytes is not None else (found.patch or "").encode()


# -- trees ----------------------------------------------------------------------------------------------------------------


def _random_tree(chance: random.Random, count: int) -> Tree:
    tree: Tree = {}
    for _ in range(count):
        _add(chance, tree)
    return tree


def _add(chance: random.Random, tree: Tree) -> None:
    path = b"/".join(chance.choice(_NAMES) for _ in range(chance.randrange(1, 4)))
    parts = path.split(b"/")
    if any(b"/".join(parts[:depth]) in tree for depth in range(1, len(parts))):
        return
    if any(other.startswith(path + b"/") for other in tree):
        return
    tree[path] = _random_node(chance)


def _random_node(chance: random.Random) -> Node:
    if chance.random() < 0.15:
        return "link", chance.choice([b"elsewhere", b"../up", b"/abs", b"stray\xff"])
    return chance.choice(["file", "file", "exec"]), _random_content(chance)


def _changed(chance: random.Random, before: Tree) -> Tree:
    after = dict(before)
    for _ in range(chance.randrange(1, 8)):
        path = chance.choice(sorted(after)) if after else b""
        what = chance.randrange(6)
        if what == 0 or not path:
            _add(chance, after)
        elif what == 1:
            del after[path]
        elif what == 2:
            _add(chance, moved := {key: value for key, value in after.items() if key != path})
            for new in moved.keys() - after.keys():
                moved[new] = after[path]
            after = moved
        elif what == 3:
            after[path] = _random_node(chance)
        elif after[path][0] != "link":
            kind, content = after[path]
            lines = content.splitlines(keepends=True)
            lines.insert(chance.randrange(len(lines) + 1), b"inserted\n")
            after[path] = (
                ({"file": "exec", "exec": "file"}[kind], content) if what == 4 else (kind, b"".join(lines))
            )
    return after


def _write(top: Path, tree: Tree) -> None:
    top.mkdir(parents=True, exist_ok=True)
    for path, (kind, content) in tree.items():
        place = os.fsencode(top) + b"/" + path
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if kind == "link":
            os.symlink(content, place)
            continue
        with open(place, "wb") as file:
            file.write(content)
        os.chmod(place, 0o755 if kind == "exec" else 0o644)


def _load(top: Path) -> Tree:
    tree: Tree = {}
    for directory, folders, names in os.walk(os.fsencode(top)):
        if b".git" in folders:
            folders.remove(b".git")
        for name in [*names, *(one for one in folders if os.path.islink(os.path.join(directory, one)))]:
            place = os.path.join(directory, name)
            path = os.path.relpath(place, os.fsencode(top))
            if os.path.islink(place):
                tree[path] = ("link", os.readlink(place))
            else:
                with open(place, "rb") as file:
                    tree[path] = ("exec" if os.stat(place).st_mode & 0o100 else "file", file.read())
    return tree


def _git_applied(top: Path, before: Tree, patch: bytes) -> Tree:
    _write(top, before)
    git(top, "init", "-q")
    if patch:
        git(top, "apply", "--binary", "--whitespace=nowarn", "-", stdin=patch)
    return _load(top)


def _git_diff(top: Path, before: Tree, after: Tree) -> bytes:
    _write(top, before)
    git(top, "init", "-q")
    git(top, "add", "-Af")
    git(top, "commit", "-qm", "before", "--allow-empty")
    for path in before:
        os.unlink(os.fsencode(top) + b"/" + path)
    for directory, _, _ in os.walk(os.fsencode(top), topdown=False):
        if b"/.git" not in directory and not os.listdir(directory):
            os.rmdir(directory)
    _write(top, after)
    git(top, "add", "-Af")
    return git(top, "diff", "--cached", "--binary", "-M")


def _unpack(opened: Opened, tree: Tree) -> None:
    """Make the workspace hold just this, the way a command in it would."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, (kind, content) in tree.items():
            info = tarfile.TarInfo(os.fsdecode(path))
            info.mode = 0o755 if kind == "exec" else 0o644
            if kind == "link":
                info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(content)
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    with opened.using() as session:
        packed = base64.b64encode(buffer.getvalue()).decode()
        writing.write_file(
            session, "/root/tree.tar", packed, encoding="base64", if_match=None, executable=None
        )
    opened.run("find . -mindepth 1 -delete; tar -xf /root/tree.tar")


def _read(opened: Opened) -> Tree:
    with opened.using() as session:
        opened.run("tar -cf /root/read.tar .")
        found = reading.read_file(
            session, "/root/read.tar", start_line=1, end_line=None, max_chars=None, encoding="base64"
        )
    tree: Tree = {}
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(found.content))) as archive:
        for info in archive:
            path = os.fsencode(info.name).removeprefix(b"./")
            if info.issym():
                tree[path] = ("link", os.fsencode(info.linkname))
            elif info.isfile():
                file = archive.extractfile(info)
                assert file is not None
                tree[path] = ("exec" if info.mode & 0o100 else "file", file.read())
    return tree
