"""Random trees, random changes to them, and the real git program to hold ours against."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pygit2

from pyro_mcp.models.patch import EntryType
from pyro_mcp.workspaces.diff import Change, Entry
from pyro_mcp.workspaces.patch import FileState, PatchPlan, parse_patch, plan_patch

Leaf = tuple[EntryType, bytes]
Tree = dict[bytes, Leaf]
_MODES: dict[EntryType, int] = {"regular": 0o100644, "executable": 0o100755, "symlink": 0o120000}
_NAMES = [
    b"a",
    b"b",
    b"c",
    b"src",
    b"a b",
    b" lead",
    b"trail ",
    b'quo"te',
    b"tab\tx",
    b"new\nline",
    b"back\\slash",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"-dash",
    b"{x => y}",
    b"x.py",
    b"y.txt",
    b".gitignore",
    b"@@ -1 +1 @@",
    b"--- a",
    b"cr\r",
    b"b/",
    b"dev",
    b"null",
    b"\x01\x7f",
    b"a => b",
    b"1970-01-01 00:00:00",
]
_LINES = [
    b"",
    b"one",
    b"two",
    b"    return 1",
    b"-- minus",
    b"++ plus",
    b"@@ -1,2 +1,2 @@",
    b"diff --git a/x b/x",
    b"+++ b/x",
    b"--- a/x",
    b"\\ No newline at end of file",
    b"*** End Patch",
    b"\ttab",
    b"trail  ",
    b"cr\r",
    b"\xe9 latin",
    b"GIT binary patch",
    b"}",
    b"-",
    b"+",
    b" ",
]


def random_tree(rng: random.Random) -> Tree:
    """Make a tree of some files."""
    tree: Tree = {}
    for _ in range(rng.randrange(0, 9)):
        _put(tree, _random_path(rng), _random_leaf(rng))
    return tree


def _random_path(rng: random.Random) -> bytes:
    return b"/".join(rng.choice(_NAMES).rstrip(b"/") for _ in range(rng.choice((1, 1, 1, 2, 2, 3))))


def _put(tree: Tree, path: bytes, leaf: Leaf) -> bool:
    """Add a file unless another one is in the way."""
    parts = path.split(b"/")
    above = any(b"/".join(parts[:end]) in tree for end in range(1, len(parts)))
    if above or any(other.startswith(path + b"/") for other in tree):
        return False
    tree[path] = leaf
    return True


def _random_leaf(rng: random.Random) -> Leaf:
    kind = rng.randrange(10)
    if kind == 0:
        return "symlink", rng.choice((b"target", b"../out", b"/etc/passwd", b"odd\nname\xff", b"some where"))
    type: EntryType = "executable" if kind == 1 else "regular"
    return type, _random_content(rng)


def _random_content(rng: random.Random) -> bytes:
    kind = rng.randrange(12)
    if kind == 0:
        return b""
    if kind == 1:
        return rng.randbytes(rng.randrange(1, 3000))
    if kind == 2:
        return b"\0" + rng.randbytes(20) * rng.randrange(1, 50)
    lines = [
        rng.choice(_LINES) if rng.randrange(3) else b"line %d" % rng.randrange(100)
        for _ in range(rng.randrange(1, 60))
    ]
    ending = b"\r\n" if kind == 3 else b"\n"
    return ending.join(lines) + (ending if rng.randrange(4) else b"")


def random_change(rng: random.Random, old: Tree) -> Tree:
    """Change a tree in some ways that people and programs do."""
    new = dict(old)
    for _ in range(rng.randrange(1, 6)):
        rng.choice(_CHANGES)(rng, new)
    return new


def _edit(rng: random.Random, tree: Tree) -> None:
    for path in _some(rng, tree):
        type, content = tree[path]
        if type != "symlink":
            tree[path] = type, _edited(rng, content)


def _edited(rng: random.Random, content: bytes) -> bytes:
    if b"\0" in content or rng.randrange(8) == 0:
        at = rng.randrange(len(content) + 1)
        return content[:at] + rng.randbytes(rng.randrange(5)) + content[at + rng.randrange(5) :]
    lines = content.split(b"\n")
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(lines) + 1)
        lines[at : at + rng.randrange(3)] = [rng.choice(_LINES) for _ in range(rng.randrange(3))]
    return b"\n".join(lines)


def _add(rng: random.Random, tree: Tree) -> None:
    _put(tree, _random_path(rng), _random_leaf(rng))


def _delete(rng: random.Random, tree: Tree) -> None:
    for path in _some(rng, tree):
        del tree[path]


def _rename(rng: random.Random, tree: Tree) -> None:
    for path in _some(rng, tree):
        leaf = tree.pop(path)
        if not _put(tree, _random_path(rng), leaf):
            tree[path] = leaf


def _rename_and_edit(rng: random.Random, tree: Tree) -> None:
    _rename(rng, tree)
    _edit(rng, tree)


def _chmod(rng: random.Random, tree: Tree) -> None:
    for path in _some(rng, tree):
        type, content = tree[path]
        if type != "symlink":
            tree[path] = ("regular" if type == "executable" else "executable"), content


def _retype(rng: random.Random, tree: Tree) -> None:
    for path in _some(rng, tree):
        tree[path] = _random_leaf(rng)


def _swap(rng: random.Random, tree: Tree) -> None:
    if len(tree) > 1:
        one, two = rng.sample(sorted(tree), 2)
        tree[one], tree[two] = tree[two], tree[one]


def _copy(rng: random.Random, tree: Tree) -> None:
    for path in _some(rng, tree):
        _put(tree, _random_path(rng), tree[path])


def _file_to_directory(rng: random.Random, tree: Tree) -> None:
    for path in _some(rng, tree):
        leaf = tree.pop(path)
        tree[path + b"/" + rng.choice(_NAMES).rstrip(b"/")] = leaf


def _directory_to_file(rng: random.Random, tree: Tree) -> None:
    for path in _some(rng, tree):
        directory = path.rpartition(b"/")[0]
        if directory:
            for other in [other for other in tree if other.startswith(directory + b"/")]:
                del tree[other]
            tree[directory] = _random_leaf(rng)
            return


def _some(rng: random.Random, tree: Tree) -> list[bytes]:
    return rng.sample(sorted(tree), min(len(tree), rng.randrange(1, 3)))


_CHANGES: list[Callable[[random.Random, Tree], None]] = [
    _edit, _edit, _edit, _add, _delete, _rename, _rename_and_edit, _chmod, _retype, _swap, _copy, _file_to_directory,
    _directory_to_file,
]  # fmt: skip


def changes_between(old: Tree, new: Tree) -> list[Change]:
    """Say what changed the way the walk of a workspace does."""
    paths = sorted(old.keys() | new.keys())
    return [
        Change(path, _entry(old.get(path)), _entry(new.get(path)))
        for path in paths
        if old.get(path) != new.get(path)
    ]


def _entry(leaf: Leaf | None) -> Entry | None:
    return Entry(*leaf) if leaf else None


def read_from(tree: Tree) -> Callable[[bytes], FileState | None]:
    """Give `plan_patch` a tree to read, directories included."""
    directories = {path[:at] for path in tree for at in range(len(path)) if path[at : at + 1] == b"/"}

    def read(path: bytes) -> FileState | None:
        if path in tree:
            return FileState(*tree[path])
        return FileState("directory") if path in directories else None

    return read


def patched(tree: Tree, patch: bytes) -> tuple[Tree, PatchPlan]:
    """Apply a patch to a tree, as far as the plan says so."""
    plan = plan_patch(parse_patch(patch), read_from(tree))
    after = {path: leaf for path, leaf in tree.items() if path not in plan.removals}
    for write in plan.writes:
        after[write.path] = (write.type, write.content)
    return after, plan


@dataclass
class Git:
    """The real git program, out of reach of anybody's configuration."""

    directory: Path
    repository: pygit2.Repository = field(init=False)

    def __post_init__(self) -> None:
        self.repository = pygit2.init_repository(str(self.directory / "repo.git"), bare=True)

    def run(self, *arguments: str, cwd: Path | None = None, stdin: bytes = b"") -> bytes:
        """Run git and give its output; its complaints become the failure's text."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.directory), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8",
            "GIT_CEILING_DIRECTORIES": str(self.directory),
        }  # fmt: skip
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.repository.path,
            input=stdin,
            capture_output=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def write_tree(self, tree: Tree) -> str:
        """Store a tree; give its id."""
        entries: dict[bytes, tuple[int, str]] = {}
        below: dict[bytes, Tree] = {}
        for path, (type, content) in tree.items():
            head, slash, rest = path.partition(b"/")
            if slash:
                below.setdefault(head, {})[rest] = (type, content)
            else:
                entries[head] = (_MODES[type], str(self.repository.create_blob(content)))
        entries |= {name: (0o40000, self.write_tree(inner)) for name, inner in below.items()}
        ordered = sorted(entries.items(), key=lambda one: one[0] + b"/" * (one[1][0] == 0o40000))
        data = b"".join(b"%o %s\0" % (mode, name) + bytes.fromhex(key) for name, (mode, key) in ordered)
        return str(self.repository.odb.write(pygit2.enums.ObjectType.TREE, data))

    def diff(self, old: Tree, new: Tree, *options: str) -> bytes:
        """Let git compare two trees."""
        return self.run("diff", *options, self.write_tree(old), self.write_tree(new))

    def apply(self, tree: Tree, patch: bytes, *options: str) -> Tree:
        """Let git apply a patch to a tree, in a directory that is no repository."""
        directory = self.directory / "work"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        lay_out(tree, directory)
        self.run("apply", "--whitespace=nowarn", *options, "-", cwd=directory, stdin=patch)
        return take_in(directory)


def lay_out(tree: Tree, directory: Path) -> None:
    """Write a tree into a directory."""
    for path, (type, content) in tree.items():
        place = directory / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if type == "symlink":
            place.symlink_to(os.fsdecode(content))
        else:
            place.write_bytes(content)
            place.chmod(0o755 if type == "executable" else 0o644)


def take_in(directory: Path) -> Tree:
    """Read a directory back into a tree."""
    tree: Tree = {}
    pending = [directory]
    while pending:
        for place in pending.pop().iterdir():
            path = os.fsencode(place.relative_to(directory))
            if place.is_symlink():
                tree[path] = ("symlink", os.fsencode(place.readlink()))
            elif place.is_dir():
                pending.append(place)
            else:
                tree[path] = ("executable" if place.stat().st_mode & 0o100 else "regular", place.read_bytes())
    return tree
