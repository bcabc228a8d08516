"""The files that a patch meets, and what becomes of them while its sections are gone through."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from pyro_mcp.models.names import display_name
from pyro_mcp.models.patch import EntryType


@dataclass(frozen=True, slots=True)
class FileState:
    """What is at a path, links not followed. `content` is a link's target; empty for what is no file."""

    type: EntryType | Literal["directory", "other"]
    content: bytes = b""


Read = Callable[[bytes], FileState | None]
"""Give what is at a path below the workspace's root, None when nothing is; a parent that is no directory counts as nothing."""


class Refused(Exception):
    """A section cannot be applied; the message says why."""


class Tree:
    """The tree before the patch, with the changes so far laid over it."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._original: dict[bytes, FileState | None] = {}
        self._base: dict[bytes, FileState | None] = {}
        """The tree as it was when the present commit of the patch began, where it differs from the original."""
        self.changed: dict[bytes, FileState | None] = {}
        """What the present commit has changed so far, by path."""
        self.leaving: frozenset[bytes] = frozenset()
        """Paths that the present commit deletes or renames somewhere."""
        self.moved: dict[bytes, bytes] = {}
        """Where a new file's permissions come from: its path before a rename or copy."""

    def original(self, path: bytes) -> FileState | None:
        """Give what was there before the patch."""
        if path not in self._original:
            self._original[path] = self._read(path)
        return self._original[path]

    def before_commit(self, path: bytes) -> FileState | None:
        """Give what was there when the present commit of the patch began."""
        return self._base[path] if path in self._base else self.original(path)

    def now(self, path: bytes) -> FileState | None:
        """Give what is there after the sections so far."""
        return self.changed[path] if path in self.changed else self.before_commit(path)

    def begin_commit(self, leaving: Iterable[bytes]) -> None:
        """Let the sections that follow build on all before."""
        self._base |= self.changed
        self.changed = {}
        self.leaving = frozenset(leaving)

    def outcome(self) -> dict[bytes, FileState | None]:
        """Give every path that differs from the original, None where the path is to go."""
        after = self._base | self.changed
        return {path: state for path, state in after.items() if state != self.original(path)}

    def source(self, path: bytes) -> FileState | None:
        """Give what a rename or copy starts from: git's sections each tell of the tree before them all."""
        before = self.before_commit(path)
        return before if before is not None else self.now(path)

    def require_vacant(self, path: bytes) -> None:
        """Refuse to put a new file where one is and stays."""
        state = self.changed.get(path) if path in self.changed else self.before_commit(path)
        if state is None or state.type == "directory" or (path in self.leaving and path not in self.changed):
            return
        raise Refused(f'"{display_name(path)}" exists already')


def ancestors(path: bytes) -> list[bytes]:
    """Give the directories that a path lies in, outermost first."""
    parts = path.split(b"/")
    return [b"/".join(parts[:end]) for end in range(1, len(parts))]


def check_places(tree: Tree) -> dict[bytes, str]:
    """Find new files that have no place to be: below something that is no directory, or where a directory is."""
    outcome = tree.outcome()
    emptied = {parent for path, state in outcome.items() if state is None for parent in ancestors(path)}
    wrong: dict[bytes, str] = {}
    written = [path for path, state in outcome.items() if state is not None]
    kept = set(written)
    for path in written:
        before = tree.original(path)
        if before is not None and before.type == "directory" and path not in emptied:
            wrong[path] = "a directory is there"
        for parent in ancestors(path):
            if parent in kept:
                wrong[path] = f'"{display_name(parent)}" above it is a file'
            elif parent not in outcome and (state := tree.original(parent)) and state.type != "directory":
                wrong[path] = f'"{display_name(parent)}" above it is no directory ({state.type})'
    return wrong
