"""Compare two sets of files with libgit2: what was added, deleted, modified, renamed.

The files go into a repository that exists in memory only. Of libgit2's answers we take the pairing of files and the text of
hunks; headers are our own (`render.py`), because libgit2's follow the configuration and attributes of whoever runs us.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.diff import DiffStatus
from pyro_mcp.models.names import display_name
from pyro_mcp.workspaces.diff.entries import MODES, Change, Entry

if TYPE_CHECKING:
    import pygit2

RENAME_LIMIT = 400
"""Of new files so many at most are compared with deleted ones that resemble them: the cost grows with the square."""
RENAME_THRESHOLD = 50  # per cent alike; git's own default
_BLOB, _TREE = 3, 2  # libgit2's numbers for kinds of object
_DIRECTORY = 0o40000
_STATUS: dict[str, DiffStatus] = {"A": "added", "D": "deleted", "M": "modified", "R": "renamed"}


@dataclass(frozen=True, slots=True)
class Side:
    """A changed file before, or after."""

    path: bytes
    mode: int
    id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Pair:
    """A changed file before and after."""

    status: DiffStatus
    old: Side | None
    new: Side | None
    similarity: int = 0

    @property
    def path(self) -> bytes:
        """Give the path to name the file by."""
        return cast("Side", self.new or self.old).path


class _Store:
    """Git objects by their id."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[int, bytes]] = {}

    def put(self, kind: int, data: bytes) -> str:
        """Keep an object and give its id."""
        name = b"blob" if kind == _BLOB else b"tree"
        key = hashlib.sha1(name + b" %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        self.objects[key] = (kind, data)
        return key

    def put_root(self, files: Mapping[bytes, tuple[int, str]]) -> str:
        """Keep the trees that hold these files, deepest first; give the id of their root."""
        directories = _by_directory(files)
        for directory in sorted(directories, key=_depth, reverse=True):
            # Git sorts a directory as if its name ended in a slash.
            entries = sorted(
                directories[directory].items(), key=lambda one: one[0] + b"/" * (one[1][0] == _DIRECTORY)
            )
            data = b"".join(b"%o %s\0" % (mode, name) + bytes.fromhex(key) for name, (mode, key) in entries)
            tree = self.put(_TREE, data)
            if directory:
                parent, _, name = directory.rpartition(b"/")
                if name in directories[parent]:
                    raise InvalidRequest(
                        f'"{display_name(directory)}" cannot be a file and a directory at once'
                    )
                directories[parent][name] = (_DIRECTORY, tree)
        return tree


def _by_directory(files: Mapping[bytes, tuple[int, str]]) -> dict[bytes, dict[bytes, tuple[int, str]]]:
    directories: dict[bytes, dict[bytes, tuple[int, str]]] = {b"": {}}
    for path, leaf in files.items():
        directory, _, name = path.rpartition(b"/")
        directories.setdefault(directory, {})[name] = leaf
        while (directory := directory.rpartition(b"/")[0]) not in directories:
            directories[directory] = {}
    return directories


def _depth(directory: bytes) -> int:
    return directory.count(b"/") + 1 if directory else 0


def pair_files(changes: Sequence[Change]) -> list[Pair]:
    """Compare both states of all files; what did not change at all is left out."""
    store = _Store()
    old = _put_side(store, [(change.path, change.old) for change in changes])
    new = _put_side(store, [(change.path, change.new) for change in changes])
    moved = _take_moved(old, new)
    trees = [
        store.put_root({path: (side.mode, side.id) for path, side in sides.items()}) for sides in (old, new)
    ]
    diff = _compare_trees(store, *trees)
    pairs = [*moved, *(_pair(delta, old, new) for delta in diff.deltas)]
    pairs = _part_replaced_links(pairs)
    # A file that turned into a link is two entries; whoever applies them has to delete before adding.
    return sorted(pairs, key=lambda pair: (pair.path, pair.status != "deleted"))


def _put_side(store: _Store, files: Sequence[tuple[bytes, Entry | None]]) -> dict[bytes, Side]:
    sides = {}
    for path, entry in files:
        if entry is not None:
            content = entry.read()
            sides[path] = Side(path, entry.mode, store.put(_BLOB, content), content)
    return sides


def _take_moved(old: dict[bytes, Side], new: dict[bytes, Side]) -> list[Pair]:
    """Take out the files that moved unchanged: libgit2 gives up on these too where there are many, as when a directory moves."""
    gone: dict[tuple[str, bool], list[bytes]] = {}
    for path in sorted(old.keys() - new.keys(), reverse=True):
        gone.setdefault(_identity(old[path]), []).append(path)
    pairs = []
    for path in sorted(new.keys() - old.keys()):
        candidates = gone.get(_identity(new[path]))
        if candidates:
            source = _same_name(candidates, path)
            candidates.remove(source)
            pairs.append(Pair("renamed", old.pop(source), new.pop(path), 100))
    return pairs


def _part_replaced_links(pairs: Sequence[Pair]) -> list[Pair]:
    """Part the rename of a link whose old name is a directory now into a deletion and an addition.

    Git's apply takes the link, renamed or not, for a way out of the tree and refuses what comes below it.
    """
    directories = _by_directory({pair.new.path: (0, "") for pair in pairs if pair.new}).keys()
    parted = []
    for pair in pairs:
        if (
            pair.status == "renamed"
            and pair.old
            and pair.old.mode == MODES["symlink"]
            and pair.old.path in directories
        ):
            parted += [Pair("deleted", pair.old, None), Pair("added", None, pair.new)]
        else:
            parted.append(pair)
    return parted


def _identity(side: Side) -> tuple[str, bool]:
    return side.id, side.mode == MODES["symlink"]


def _same_name(candidates: Sequence[bytes], path: bytes) -> bytes:
    """Prefer a file whose own name stayed the same; a thousand are enough to look through."""
    name = path.rpartition(b"/")[2]
    return next((one for one in candidates[-1000:] if one.rpartition(b"/")[2] == name), candidates[-1])


def _compare_trees(store: _Store, old: str, new: str) -> "pygit2.Diff":
    import pygit2  # 60 ms: only whoever asks for a diff pays them
    from pygit2.enums import DiffFind, DiffOption

    class Backend(pygit2.OdbBackend):
        """Lets libgit2 read the store."""

        def read_cb(self, id: pygit2.Oid) -> tuple[int, bytes]:
            return store.objects[str(id)]

        def read_header_cb(self, id: pygit2.Oid) -> tuple[int, int]:
            kind, data = store.objects[str(id)]
            return kind, len(data)

        def exists_cb(self, id: pygit2.Oid) -> bool:
            return str(id) in store.objects

        def exists_prefix_cb(self, id: pygit2.Oid) -> pygit2.Oid:
            raise KeyError(id)

        def refresh_cb(self) -> None:
            """Nothing to look for again."""

    database = pygit2.Odb()
    database.add_backend(Backend(), 1)
    repository = pygit2.Repository()
    repository.set_odb(database)
    before, after = repository[old].peel(pygit2.Tree), repository[new].peel(pygit2.Tree)
    diff = before.diff_to_tree(after, flags=DiffOption.NORMAL)
    # Naming the flags keeps libgit2 from reading diff.renames of the user's configuration.
    diff.find_similar(DiffFind.FIND_RENAMES, rename_threshold=RENAME_THRESHOLD, rename_limit=RENAME_LIMIT)
    return diff


def _pair(delta: "pygit2.DiffDelta", old: Mapping[bytes, Side], new: Mapping[bytes, Side]) -> Pair:
    status = _STATUS[delta.status_char()]
    before = None if status == "added" else old[delta.old_file.raw_path]
    after = None if status == "deleted" else new[delta.new_file.raw_path]
    return Pair(status, before, after, delta.similarity if status == "renamed" else 0)
