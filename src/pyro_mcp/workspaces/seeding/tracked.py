"""What a repository tracks, by its index alone: libgit2 reads that one file, and neither repository nor configuration."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Sequence

from pyro_mcp.workspaces.seeding.entries import Unseedable, open_plain
from pyro_mcp.workspaces.seeding.gitdir import GitDirectory

_GITLINK = 0o160000


class Tracked:
    """The tracked paths of one repository, relative to its worktree."""

    def __init__(self, files: Sequence[bytes] = (), submodules: Sequence[bytes] = ()) -> None:
        self._paths = sorted([*files, *submodules])
        self._all = frozenset(self._paths)
        self.submodules = frozenset(submodules)
        self._directories = frozenset(_parents(self._paths))

    def __contains__(self, path: bytes) -> bool:
        return path in self._all

    def below(self, directory: bytes) -> bool:
        """Whether anything in this directory is tracked, or it is a submodule."""
        return directory in self._directories or directory in self.submodules

    def children(self, directory: bytes) -> list[bytes]:
        """Name what is tracked directly in a directory, or on the way to something tracked."""
        prefix = directory + b"/" if directory else b""
        at = bisect_left(self._paths, prefix)
        names: list[bytes] = []
        while at < len(self._paths) and self._paths[at].startswith(prefix):
            name = self._paths[at][len(prefix) :].split(b"/", 1)[0]
            names.append(name)
            # On to the first path that is neither this name nor in it: "0" follows "/".
            at = (
                max(at + 1, bisect_left(self._paths, prefix + name + b"0"))
                if self._is_directory(prefix + name)
                else at + 1
            )
        return list(dict.fromkeys(names))

    def _is_directory(self, path: bytes) -> bool:
        return path in self._directories


def _parents(paths: Sequence[bytes]) -> set[bytes]:
    found = {b""} if paths else set()
    for path in paths:
        directory = path.rpartition(b"/")[0]
        while directory not in found:
            found.add(directory)
            directory = directory.rpartition(b"/")[0]
    return found


def read_index(found: GitDirectory) -> Tracked:
    """Read what is tracked; raises Unseedable when the index cannot be read. No index: nothing is tracked yet."""
    import pygit2  # 40 ms, which only a repository pays

    path = found.own + b"/index"
    try:
        os.close(open_plain(path))
    except FileNotFoundError:
        return Tracked()
    except OSError as error:
        raise Unseedable(f"its index cannot be read: {error.strerror}") from error
    try:
        entries = [(os.fsencode(entry.path), entry.mode) for entry in pygit2.Index(os.fsdecode(path))]
    except (pygit2.GitError, OSError, ValueError) as error:
        raise Unseedable(f"its index cannot be read: {error}") from error
    return Tracked(
        [name for name, mode in entries if mode != _GITLINK],
        [name for name, mode in entries if mode == _GITLINK],
    )
