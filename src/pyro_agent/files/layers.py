"""The three faces of a seeded workspace: the seed, the overlay's own layer, and what the two show together.

Only the overlay's own layer is walked, so what a question costs grows with the change, not with the tree. Of a
directory that was renamed the overlay's layer holds where it came from (a redirect); of what was deleted, a whiteout.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from pyro_agent.disk import places

_OPAQUE, _REDIRECT = "trusted.overlay.opaque", "trusted.overlay.redirect"


class Node(NamedTuple):
    """What is at a path: where its bytes are, and what it is."""

    real: str
    status: os.stat_result
    kind: str


class Folder(NamedTuple):
    """A directory as it is now: its part in the overlay's own layer, and the seed's directory that shines through."""

    upper: str | None
    origin: str | None
    status: os.stat_result | None = None  # None for the tops, which are the same always


class Only(NamedTuple):
    """What else is of interest, of what the seed has not: these paths, and these with all that is below them."""

    just: frozenset[str]
    whole: frozenset[str]


class Difference(NamedTuple):
    """A path where the two faces differ in kind, or may differ in content."""

    path: str
    old: Node | None
    new: Node | None


class Layers:
    """Where they are; `seed` is None for a workspace that began empty.

    With `everything` directories count, too, and what is neither file nor link: what git has no form for.
    """

    def __init__(
        self, upper: str, seed: str | None, *, everything: bool = False, below_git: bool = False
    ) -> None:
        self._upper = upper
        self._seed = seed
        self._everything = everything
        self._below_git = below_git  # what git keeps for itself is part of the tree
        self.unseen = 0  # what could not be looked at

    def differences(self, filters: tuple[str, ...] = (), only: Only | None = None) -> Iterator[Difference]:
        """Give what may differ, in order of paths; `filters` are paths, relative to the top, with all below them.

        With `only`, what the seed has not is passed over, however much it is, but for what is named there and what lies
        in a directory where the seed has none: it goes when the seed's comes back.
        """
        yield from self._compare("", Folder(self._upper, self._seed), self._seed, filters, only)

    def _compare(
        self, prefix: str, now: Folder, before: str | None, filters: tuple[str, ...], only: Only | None
    ) -> Iterator[Difference]:
        if now.upper is None and now.origin == before:
            return
        for name in self._names(now, before):
            path = prefix + name
            if (
                (name == ".git" and not self._below_git)
                or (not prefix and name == places.STAGING)
                or not _wanted(path, filters)
            ):
                continue
            old = self._seen(before, name)
            whole = only is None or path in only.whole
            if old is None and only is not None and not whole and path not in only.just:
                continue
            new = self._seen_now(now, name)
            was, is_now = self._counted(old), self._counted(new)
            if (was or is_now) and not (was and is_now and was.real == is_now.real):
                yield Difference(path, was, is_now)
            if isinstance(old, Folder) or isinstance(new, Folder):
                inside = new if isinstance(new, Folder) else Folder(None, None)
                origin = old.origin if isinstance(old, Folder) else None
                everything = whole or isinstance(old, Node)
                yield from self._compare(path + "/", inside, origin, filters, None if everything else only)

    def _counted(self, seen: Node | Folder | None) -> Node | None:
        """Return what a difference tells of it; None for what does not count."""
        if isinstance(seen, Folder):
            real = seen.upper or seen.origin
            return Node(real, seen.status, "dir") if self._everything and real and seen.status else None
        return seen if seen is not None and (seen.kind != "other" or self._everything) else None

    def _names(self, now: Folder, before: str | None) -> list[str]:
        names = set(self._listed(now.upper))
        if now.origin != before:  # else what is not in the upper layer is as it was
            names.update(self._listed(now.origin), self._listed(before))
        return sorted(names)

    def _listed(self, folder: str | None) -> list[str]:
        if folder is None:
            return []
        try:
            return os.listdir(folder)
        except FileNotFoundError:
            return []
        except OSError:
            self.unseen += 1
            return []

    def _seen(self, folder: str | None, name: str) -> Node | Folder | None:
        """Look into the seed."""
        if folder is None:
            return None
        real = f"{folder}/{name}"
        status = self._status(real)
        if status is None:
            return None
        if stat.S_ISDIR(status.st_mode):
            return Folder(None, real, status)
        return Node(real, status, places.kind_of(status))

    def _seen_now(self, folder: Folder, name: str) -> Node | Folder | None:
        """Look at what the overlay shows."""
        if folder.upper is None:
            return self._seen(folder.origin, name)
        real = f"{folder.upper}/{name}"
        status = self._status(real)
        if status is None:
            return self._seen(folder.origin, name)
        if stat.S_ISDIR(status.st_mode):
            return Folder(real, self._origin(folder.origin, name, real), status)
        whiteout = stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
        return None if whiteout else Node(real, status, places.kind_of(status))

    def _origin(self, parent: str | None, name: str, upper: str) -> str | None:
        """Return the seed's directory that shines through one of the upper layer."""
        if self._seed is None or _attribute(upper, _OPAQUE) == b"y":
            return None
        redirect = os.fsdecode(_attribute(upper, _REDIRECT))
        if redirect.startswith("/"):
            origin = self._seed + redirect
        elif parent is None:
            return None
        else:
            origin = f"{parent}/{redirect or name}"
        status = self._status(origin)
        return origin if status is not None and stat.S_ISDIR(status.st_mode) else None

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            self.unseen += 1
            return None


def _wanted(path: str, filters: tuple[str, ...]) -> bool:
    """Tell whether a path is one of the filters, below one, or on the way to one."""
    if not filters or "" in filters:
        return True
    inside = path + "/"
    return any(inside.startswith(wanted + "/") or wanted.startswith(inside) for wanted in filters)


def _attribute(path: str, name: str) -> bytes:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError:
        return b""
