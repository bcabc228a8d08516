"""Export a branch: commits made in the host's repository with libgit2, so no hook or filter runs and no checkout is touched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pyro_mcp.errors import Conflict, InvalidRequest, NotFound
from pyro_mcp.models.names import display_name
from pyro_mcp.workspaces.diff.entries import Change
from pyro_mcp.workspaces.export.trees import Directory
from pyro_mcp.workspaces.seeding.manifest import Item, Manifest

if TYPE_CHECKING:
    import pygit2

_REGULAR, _EXECUTABLE, _SYMLINK, _SUBMODULE = 0o100644, 0o100755, 0o120000, 0o160000


@dataclass(frozen=True, slots=True)
class SeedDifference:
    """What of a seed is not as its commit has it: paths to take from the seed, and paths that it does not have."""

    changed: tuple[bytes, ...]
    removed: tuple[bytes, ...]


@dataclass
class Branch:
    """A branch being made, commit on commit; nothing refers to it before `create`. `prefix` is the seeded part, with a slash."""

    repository: pygit2.Repository
    base: str | None
    prefix: bytes = b""
    _tree: Directory = field(init=False)
    _tip: str | None = field(init=False)

    def __post_init__(self) -> None:
        self._tip = self.base
        tree = None if self.base is None else str(_commit(self.repository, self.base).tree_id)
        self._tree = Directory(self.repository, tree)

    def difference(self, seed: Manifest) -> SeedDifference:
        """Compare a seed with its commit, by reading only the commit's files that have the seed's size."""
        have = {
            path: item
            for path, item in seed.items()
            if item.kind != "directory" and b".git" not in path.split(b"/")
        }
        removed, same = [], set()
        for name, mode, oid in self._tree.walk():
            if not name.startswith(self.prefix):
                continue
            path = name[len(self.prefix) :]
            if mode == _SUBMODULE:
                # A submodule stays at its commit: what is in it belongs to another repository.
                same |= {inner for inner in have if inner == path or inner.startswith(path + b"/")}
            elif path not in have:
                removed.append(path)
            elif self._is_same(mode, oid, have[path]):
                same.add(path)
        return SeedDifference(tuple(sorted(have.keys() - same)), tuple(removed))

    def tracks(self, path: bytes) -> bool:
        """Tell whether the next commit has this file so far."""
        return self._tree.get(self.prefix + path) is not None

    def _is_same(self, mode: int, oid: str, there: Item) -> bool:
        import pygit2

        if mode != _mode(there.mode, link=there.kind == "symlink"):
            return False
        try:
            blob = self.repository[oid].peel(pygit2.Blob)
        except KeyError:
            return False
        return blob.size == there.size and hashlib.sha256(blob.data).digest() == there.digest

    def put(self, path: bytes, content: bytes, *, link: bool, mode: int) -> None:
        """Have a file in the next commit."""
        _checked(path)
        blob = str(self.repository.create_blob(content))
        self._tree.put(self.prefix + path, _mode(mode, link=link), blob)

    def remove(self, path: bytes) -> None:
        """Have a file no more in the next commit."""
        self._tree.remove(self.prefix + path)

    def apply(self, changes: Sequence[Change]) -> None:
        """Carry out what changed: removals first, for a file may have become a directory."""
        for change in changes:
            if change.old is not None:
                self.remove(change.path)
        for change in changes:
            if change.new is not None:
                link = change.new.type == "symlink"
                self.put(change.path, change.new.read(), link=link, mode=change.new.mode)

    def commit(self, message: str) -> str | None:
        """Commit; None when nothing is different from the commit before."""
        tree = self._tree.write()
        if self._tip is not None and str(_commit(self.repository, self._tip).tree_id) == tree:
            return None
        who = identity(self.repository)
        parents = [] if self._tip is None else [self._tip]
        self._tip = str(self.repository.create_commit(None, who, who, message, tree, parents))
        return self._tip

    @property
    def tip(self) -> str | None:
        """Give the last commit."""
        return self._tip

    def create(self, name: str, *, overwrite: bool) -> None:
        """Let the branch begin to exist."""
        import pygit2

        assert self._tip is not None
        try:
            self.repository.references.create(f"refs/heads/{name}", self._tip, force=overwrite)
        except pygit2.AlreadyExistsError as error:
            raise _taken(name) from error
        except (pygit2.GitError, ValueError) as error:
            raise Conflict(
                f"the branch {name} cannot be made", details=str(error), hint="Choose another name."
            ) from error


def open_repository(path: Path) -> pygit2.Repository:
    """Open a host's repository; raises NotFound when there is none."""
    import pygit2

    try:
        found = pygit2.discover_repository(str(path))
        if found is None:
            raise KeyError(path)
        return pygit2.Repository(found)
    except (KeyError, pygit2.GitError) as error:
        raise NotFound(
            f"there is no git repository at {path}",
            details=str(error),
            hint="Name one with <<repository_path>>.",
        ) from error


def check_branch(repository: pygit2.Repository, name: str, *, overwrite: bool) -> None:
    """Raise unless a branch of this name can be made here."""
    import pygit2

    if name.startswith("-") or name == "HEAD" or not pygit2.reference_is_valid_name(f"refs/heads/{name}"):
        raise InvalidRequest(f"{name!r} is no name for a branch", hint="Use letters, digits, - and /.")
    if name not in repository.branches.local:
        return
    if not overwrite:
        raise _taken(name)
    if repository.branches.local[name].is_checked_out():
        raise Conflict(
            f"the branch {name} is checked out, and a checkout is not touched", hint="Choose another name."
        )


def check_commit(repository: pygit2.Repository, commit: str | None) -> None:
    """Raise Conflict unless the repository has the commit that the workspace was seeded from."""
    if commit is None:
        return
    try:
        _commit(repository, commit)
    except (KeyError, ValueError) as error:
        raise Conflict(
            f"{repository.path} does not have the commit {commit[:12]} that the workspace was seeded from",
            hint="Name the repository that the seed came from, or one that has fetched this commit.",
        ) from error


def identity(repository: pygit2.Repository) -> pygit2.Signature:
    """Give the host's git identity."""
    try:
        return repository.default_signature
    except KeyError as error:
        raise InvalidRequest(
            "git knows no name for you",
            details=str(error),
            hint='Set one: git config --global user.name "…" and user.email.',
        ) from error


def _commit(repository: pygit2.Repository, commit: str) -> pygit2.Commit:
    import pygit2

    return repository[commit].peel(pygit2.Commit)


def _mode(mode: int, *, link: bool) -> int:
    return _SYMLINK if link else _EXECUTABLE if mode & 0o111 else _REGULAR


def _checked(path: bytes) -> None:
    parts = path.split(b"/")
    if any(part in (b"", b".", b"..") or part.lower() == b".git" for part in parts) or b"\0" in path:
        raise Conflict(f"{display_name(path)} cannot be in a commit", hint="Rename it in the workspace.")


def _taken(name: str) -> Conflict:
    return Conflict(
        f"there is a branch {name} already",
        hint="Choose another <<branch_name>>, or give <<overwrite=true>>.",
    )
