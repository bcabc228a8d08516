"""What a repository tracks, by its index alone."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Sequence

from pyro_mcp.workspaces.seeding import gitdir
from pyro_mcp.workspaces.seeding.entries import Unseedable, open_plain, read_small
from pyro_mcp.workspaces.seeding.gitdir import GitDirectory
from pyro_mcp.workspaces.seeding.gitindex import IndexUnreadable, tracked_paths

_FORMAT = 0o170000
_GITLINK = 0o160000
_DIRECTORY = 0o040000  # of a sparse index: nothing of it is in the worktree
_LARGEST = 256 << 20  # bytes: two million entries


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
    path = found.own + b"/index"
    try:
        os.close(open_plain(path))
    except FileNotFoundError:
        return Tracked()
    except OSError as error:
        raise Unseedable(f"it cannot be read: {error.strerror}") from error
    index = read_small(path, _LARGEST)
    if index is None:
        raise Unseedable(f"it is larger than {_LARGEST >> 20} MiB")
    try:
        entries = list(tracked_paths(index, gitdir.hash_size(found)))
    except IndexUnreadable as error:
        raise Unseedable(str(error)) from error
    return Tracked(
        [path for path, mode in entries if mode & _FORMAT not in (_GITLINK, _DIRECTORY)],
        [path for path, mode in entries if mode & _FORMAT == _GITLINK],
    )
