"""The three faces of a seeded workspace: the seed, the overlay's own layer, and what the two show together.

Only the overlay's own layer is walked, so what a question costs grows with the change, not with the tree. Of a
directory that was renamed the overlay's layer holds where it came from (a redirect); of what was deleted, a whiteout.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from pyro_agent import places

_OPAQUE, _REDIRECT = "trusted.overlay.opaque", "trusted.overlay.redirect"


class Node(NamedTuple):
    """A file or link: where its bytes are, and what it is."""

    real: str
    status: os.stat_result
    kind: str


class Folder(NamedTuple):
    """A directory as it is now: its part in the overlay's own layer, and the seed's directory that shines through."""

    upper: str | None
    origin: str | None


class Difference(NamedTuple):
    """A path where the two faces differ in kind, or may differ in content."""

    path: str
    old: Node | None
    new: Node | None


class Layers:
    """Where they are; `seed` is None for a workspace that began empty."""

    def __init__(self, upper: str, seed: str | None) -> None:
        self._upper = upper
        self._seed = seed
        self.unseen = 0  # what could not be looked at

    def differences(self, filters: tuple[str, ...] = ()) -> Iterator[Difference]:
        """Give what may differ, in order of paths; `filters` are paths, relative to the top, with all below them."""
        yield from self._compare("", Folder(self._upper, self._seed), self._seed, filters)

    def _compare(
        self, prefix: str, now: Folder, before: str | None, filters: tuple[str, ...]
    ) -> Iterator[Difference]:
        if now.upper is None and now.origin == before:
            return
        for name in self._names(now, before):
            path = prefix + name
            if name == ".git" or (not prefix and name == places.STAGING) or not _wanted(path, filters):
                continue
            old = self._seen(before, name)
            new = self._seen_now(now, name)
            old_file = old if isinstance(old, Node) else None
            new_file = new if isinstance(new, Node) else None
            if (old_file or new_file) and not (old_file and new_file and old_file.real == new_file.real):
                yield Difference(path, old_file, new_file)
            if isinstance(old, Folder) or isinstance(new, Folder):
                inside = new if isinstance(new, Folder) else Folder(None, None)
                yield from self._compare(
                    path + "/", inside, old.origin if isinstance(old, Folder) else None, filters
                )

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
            return Folder(None, real)
        kind = places.kind_of(status)
        return None if kind == "other" else Node(real, status, kind)

    def _seen_now(self, folder: Folder, name: str) -> Node | Folder | None:
        """Look at what the overlay shows."""
        if folder.upper is None:
            return self._seen(folder.origin, name)
        real = f"{folder.upper}/{name}"
        status = self._status(real)
        if status is None:
            return self._seen(folder.origin, name)
        if stat.S_ISDIR(status.st_mode):
            return Folder(real, self._origin(folder.origin, name, real))
        kind = places.kind_of(status)  # a whiteout is a device
        return None if kind == "other" else Node(real, status, kind)

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
