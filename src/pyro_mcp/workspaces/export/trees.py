"""Git's trees, read and written as git stores them: names are bytes, of which libgit2's Python side knows only those in UTF-8."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pygit2

TREE = 0o40000
_TREE_OBJECT = 2  # libgit2's number for this kind of object
_ID = 20  # bytes


class Directory:
    """A tree and the changes to it; what nobody looks into is not read, what nobody changes is not written."""

    def __init__(self, repository: pygit2.Repository, oid: str | None) -> None:
        self._repository = repository
        self._id = oid
        self._entries: dict[bytes, tuple[int, str]] | None = None if oid else {}
        self._opened: dict[bytes, Directory] = {}

    def get(self, path: bytes) -> tuple[int, str] | None:
        """Give mode and oid of what is at a path that is no directory."""
        name, _, rest = path.partition(b"/")
        if rest:
            below = self._open(name)
            return below.get(rest) if below is not None else None
        found = self._listed().get(name)
        return found if found is not None and found[0] != TREE else None

    def walk(self, prefix: bytes = b"") -> Iterator[tuple[bytes, int, str]]:
        """Give everything below that is no directory: path, mode, oid."""
        for name, (mode, oid) in self._listed().items():
            below = self._open(name) if mode == TREE else None
            if below is not None:
                yield from below.walk(prefix + name + b"/")
            else:
                yield prefix + name, mode, oid

    def put(self, path: bytes, mode: int, oid: str) -> None:
        """Have this at a path, instead of whatever is there."""
        name, _, rest = path.partition(b"/")
        if not rest:
            self._opened.pop(name, None)
            self._listed()[name] = (mode, oid)
        else:
            below = self._open(name)
            if below is None:
                below = self._opened[name] = Directory(self._repository, None)
                self._listed()[name] = (TREE, "")
            below.put(rest, mode, oid)
        self._id = None

    def remove(self, path: bytes) -> None:
        """Have nothing at a path where a file is."""
        name, _, rest = path.partition(b"/")
        if rest:
            below = self._open(name)
            if below is not None:
                below.remove(rest)
        elif self._listed().get(name, (TREE, ""))[0] != TREE:
            del self._listed()[name]
        self._id = None

    def write(self) -> str:
        """Store the tree; directories without anything in them are none for git."""
        if self._id is not None:
            return self._id
        entries = self._listed()
        for name, below in list(self._opened.items()):
            oid = below.write()
            if below.is_empty:
                del entries[name], self._opened[name]
            else:
                entries[name] = (TREE, oid)
        # Git sorts a directory as if its name ended in a slash.
        ordered = sorted(entries.items(), key=lambda entry: entry[0] + b"/" * (entry[1][0] == TREE))
        data = b"".join(b"%o %s\0" % (mode, name) + bytes.fromhex(oid) for name, (mode, oid) in ordered)
        self._id = str(self._repository.write(_TREE_OBJECT, data))
        return self._id

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is in it, as of the last write."""
        return not self._listed()

    def _open(self, name: bytes) -> Directory | None:
        if name not in self._opened:
            mode, oid = self._listed().get(name, (0, ""))
            if mode != TREE:
                return None
            self._opened[name] = Directory(self._repository, oid)
        return self._opened[name]

    def _listed(self) -> dict[bytes, tuple[int, str]]:
        if self._entries is None:
            self._entries = dict(_parse(self._repository[self._id or ""].read_raw()))
        return self._entries


def _parse(data: bytes) -> Iterator[tuple[bytes, tuple[int, str]]]:
    at = 0
    while at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        at = end + 1 + _ID
        yield name, (int(mode, 8), data[end + 1 : at].hex())
