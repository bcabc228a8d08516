"""Find a repository's git directory and take what a seed may have of it. Nothing of it is run, and no link is followed.

What is taken is a list of names, not everything but a list: hooks, logs (which hold remotes' addresses with their
credentials), other worktrees and whatever a future git puts there stay out by themselves.
"""

# Names are bytes here, so that every name is taken as it is; pathlib has none.
# ruff: noqa: PTH118,PTH120

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from pyro_mcp.workspaces.seeding.entries import (
    Entry,
    Unseedable,
    from_stat,
    generated,
    open_plain,
    read_small,
)
from pyro_mcp.workspaces.seeding.gitconfig import parse_config, seed_config

_SHORT = 4096
_CONFIG = 1 << 20
_SHARED_TREES = (b"objects", b"refs", b"reftable")
_SHARED_FILES = (b"packed-refs", b"shallow", b"info/exclude", b"info/attributes")
_OWN_FILES = (b"HEAD", b"index", b"ORIG_HEAD", b"MERGE_HEAD", b"MERGE_MSG", b"MERGE_MODE", b"CHERRY_PICK_HEAD",
              b"REVERT_HEAD", b"info/sparse-checkout")  # fmt: skip
_NEVER = (b"objects/info/alternates", b"objects/info/http-alternates")
_HASH = frozenset(b"0123456789abcdef")


@dataclass(frozen=True)
class GitDirectory:
    """Where a worktree's repository is: `own` has its HEAD and index, `shared` objects, refs and configuration."""

    own: bytes
    shared: bytes


def locate(worktree: bytes) -> GitDirectory | None:
    """Find the git directory of `worktree`, which may be a linked worktree or a submodule; None when there is none.

    Raises Unseedable when it lies elsewhere and does not itself name this worktree: any directory can claim to be the
    worktree of somebody's repository, but only that repository knows.
    """
    dot_git = os.path.join(worktree, b".git")
    try:
        form = os.lstat(dot_git).st_mode
    except OSError:
        return None
    if stat.S_ISDIR(form):
        found = GitDirectory(dot_git, dot_git)
    elif stat.S_ISREG(form):
        found = _linked(worktree, dot_git)
    else:
        raise Unseedable("it is not a directory or file of its own")
    _refuse_strange(found)
    return found


def _linked(worktree: bytes, dot_git: bytes) -> GitDirectory:
    text = read_small(dot_git, _SHORT) or b""
    if not text.startswith(b"gitdir:"):
        raise Unseedable("it names no git directory")
    own = _resolve(worktree, text.removeprefix(b"gitdir:").strip())
    shared_name = read_small(_join(own, b"commondir"), _SHORT)
    if shared_name is not None:
        shared = _resolve(own, shared_name.strip())
        back = read_small(_join(own, b"gitdir"), _SHORT) or b""
        belongs = os.path.dirname(own) == _join(shared, b"worktrees")
        if belongs and _resolve(own, back.strip()) == os.path.realpath(dot_git):
            return GitDirectory(own, shared)
    elif _names_as_worktree(own, worktree):
        return GitDirectory(own, own)
    raise Unseedable("its git directory lies elsewhere and does not name this directory as its worktree")


def _names_as_worktree(own: bytes, worktree: bytes) -> bool:
    settings = parse_config(read_small(_join(own, b"config"), _CONFIG) or b"")
    named = [s.value for s in settings if (s.section, s.subsection, s.key) == (b"core", None, b"worktree")]
    return bool(named) and _resolve(own, named[-1]) == os.path.realpath(worktree)


def _refuse_strange(found: GitDirectory) -> None:
    if found.own == found.shared and os.path.lexists(_join(found.own, b"commondir")):
        raise Unseedable("it takes its objects from another repository (commondir)")
    if (read_small(_join(found.shared, b"objects/info/alternates"), _CONFIG) or b"").strip():
        raise Unseedable(
            "it borrows objects from another repository (objects/info/alternates); 'git repack -a -d' and removing that "
            "file would make it whole"
        )
    for name in (b"objects", b"refs"):
        if not stat.S_ISDIR(_mode(_join(found.shared, name))):
            raise Unseedable(f"its {name.decode()} are not a directory of its own")
    if not stat.S_ISREG(_mode(_join(found.own, b"HEAD"))):
        raise Unseedable("it has no HEAD")


def take(found: GitDirectory, prefix: bytes) -> Iterator[Entry]:
    """Give what a seed gets at `prefix`/.git: objects, refs, index and HEAD, and a fresh configuration."""
    base = prefix + b".git"
    listed = os.lstat(found.own)
    yield Entry(base, "directory", 0o755, 0, listed.st_mtime_ns)
    yield Entry(base + b"/info", "directory", 0o755, 0, listed.st_mtime_ns)
    config = read_small(_join(found.shared, b"config"), _CONFIG) or b""
    yield generated(base + b"/config", seed_config(config), listed.st_mtime_ns)
    for root, names in (
        (found.shared, _SHARED_FILES),
        (found.own, (*_OWN_FILES, *_split_indexes(found.own))),
    ):
        for name in names:
            origin = _join(root, name)
            if stat.S_ISREG(_mode(origin)):
                yield from_stat(base + b"/" + name, origin, os.lstat(origin))
    for name in _SHARED_TREES:
        yield from _tree(_join(found.shared, name), base + b"/" + name, base)


def _tree(directory: bytes, path: bytes, base: bytes) -> Iterator[Entry]:
    """Everything below, but what is locked or unfinished, and what points elsewhere."""
    if not stat.S_ISDIR(_mode(directory)):
        return
    yield from_stat(path, directory, os.lstat(directory))
    pending = [(directory, path)]
    while pending:
        directory, path = pending.pop()
        with os.scandir(directory) as listing:
            for item in listing:
                below = path + b"/" + item.name
                if _unfinished(item.name) or below.removeprefix(base + b"/") in _NEVER:
                    continue
                if item.is_dir(follow_symlinks=False):
                    yield from_stat(below, item.path, item.stat(follow_symlinks=False))
                    pending.append((item.path, below))
                elif item.is_file(follow_symlinks=False):
                    yield from_stat(below, item.path, item.stat(follow_symlinks=False))


def _unfinished(name: bytes) -> bool:
    return name.endswith(b".lock") or name.startswith((b"tmp_", b".tmp-", b"incoming-"))


def _split_indexes(own: bytes) -> list[bytes]:
    with os.scandir(own) as listing:
        return sorted(item.name for item in listing if item.name.startswith(b"sharedindex."))


def head(found: GitDirectory) -> tuple[str | None, str | None]:
    """Tell the branch and the commit that HEAD names; None for a branch without commits, and for no branch."""
    text = (read_small(_join(found.own, b"HEAD"), _SHORT) or b"").strip()
    if not text.startswith(b"ref:"):
        return None, _commit(text)
    name = text.removeprefix(b"ref:").strip()
    branch = name.removeprefix(b"refs/heads/").decode(errors="replace")
    if not name.startswith(b"refs/") or b".." in name:
        return branch, None
    loose = read_small(_join(found.shared, name), _SHORT)
    return branch, _commit(loose.strip()) if loose is not None else _packed(found, name)


def _packed(found: GitDirectory, name: bytes) -> str | None:
    for line in _lines(_join(found.shared, b"packed-refs")):
        commit, _, ref = line.partition(b" ")
        if ref == name:
            return _commit(commit)
    return None


def _lines(origin: bytes) -> Iterator[bytes]:
    try:
        descriptor = open_plain(origin)
    except (OSError, Unseedable):
        return
    with os.fdopen(descriptor, "rb") as file:
        yield from (line.rstrip(b"\n") for line in file)


def _commit(text: bytes) -> str | None:
    return text.decode() if len(text) in (40, 64) and _HASH.issuperset(text) else None


def hash_size(found: GitDirectory) -> int:
    """Tell how long an object's hash is, in bytes."""
    settings = parse_config(read_small(_join(found.shared, b"config"), _CONFIG) or b"")
    sha256 = any((s.section, s.key, s.value) == (b"extensions", b"objectformat", b"sha256") for s in settings)
    return 32 if sha256 else 20


def excludes(found: GitDirectory) -> bytes:
    """Give the repository's own ignore patterns (info/exclude)."""
    return read_small(_join(found.shared, b"info/exclude"), _CONFIG) or b""


def _join(directory: bytes, name: bytes) -> bytes:
    return directory + b"/" + name


def _resolve(base: bytes, name: bytes) -> bytes:
    return os.path.realpath(os.path.join(base, name))


def _mode(path: bytes) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0
