"""The tree as it will be after the operations so far: decided before anything is changed.

Says which directory a path really lies in (links on the way are followed, inside the root), and whether an operation
is possible there, so that a transaction that has begun can be finished.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import NamedTuple

from pyro_agent.disk import places
from pyro_wire.faults import FaultError

_MOST_LINKS = 40
_LONGEST_NAME = 255


class Seen(NamedTuple):
    """What is at a path. `real`: where it is on the disk now; empty for what is only planned."""

    kind: str
    real: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    device: int = 0
    target: str = ""


_ABSENT = Seen("absent")
_ROOT = "/"


class Outlook:
    """The disk and what is planned on top of it."""

    def __init__(self, look: Callable[[str], Seen], listed: Callable[[str], list[str]]) -> None:
        """Prepare; `look` and `listed` tell of an absolute path without links what is on the disk."""
        self._look = look
        self._listed = listed
        self._planned: dict[str, Seen] = {}
        self._known: dict[str, Seen] = {}

    def at(self, path: str) -> Seen:
        """Return what will be at a path without links."""
        rest = ""
        above = path
        while above not in self._planned:
            if above == _ROOT or not above:
                return self._on_disk(path)
            above, _, name = above.rpartition("/")
            rest = f"/{name}{rest}"
        planned = self._planned[above]
        if not rest:
            return planned
        # A moved directory has its contents elsewhere; a new one has none.
        return self._on_disk(planned.real + rest) if planned.kind == "dir" and planned.real else _ABSENT

    def plan(self, path: str, seen: Seen) -> None:
        """Plan that this will be at a path, instead of whatever is there and below it."""
        self._forget_below(path)
        self._planned[path] = seen

    def plan_mode(self, path: str, mode: int) -> None:
        """Plan another mode."""
        self._planned[path] = self.at(path)._replace(mode=mode)

    def plan_move(self, source: str, path: str) -> None:
        """Plan that what is at `source`, with all below it, will be at `path`."""
        moved = {place: seen for place, seen in self._planned.items() if place.startswith(source + "/")}
        seen = self.at(source)
        self.plan(source, _ABSENT)
        self.plan(path, seen)
        for place, planned in moved.items():
            self._planned[path + place[len(source) :]] = planned

    def plan_absent(self, path: str) -> None:
        """Plan that nothing will be there."""
        self.plan(path, _ABSENT)

    def empty(self, folder: str) -> bool:
        """Tell whether a directory will hold nothing."""
        seen = self.at(folder)
        names = {f"{folder}/{name}" for name in self._listed(seen.real)} if seen.real else set()
        names.update(place for place in self._planned if place.rpartition("/")[0] == folder)
        return all(self.at(place).kind == "absent" for place in names)

    def resolve(self, path: str) -> str:
        """Return the path without links but its last part, which stays what it is. What is missing may be made."""
        *folders, name = [part for part in places.absolute(path).split("/") if part not in ("", ".")] or [""]
        if name in ("", "..") or path.endswith(("/.", "/..")):
            raise FaultError("invalid_request", f"{places.shown(path)}: names no file")
        at, links, rest = "", 0, folders[::-1]
        while rest:
            part = rest.pop()
            if part == "..":
                at = at.rpartition("/")[0]
                continue
            seen = self.at(f"{at}/{part}")
            if seen.kind == "link":
                links += 1
                if links > _MOST_LINKS:
                    raise FaultError("invalid_request", f"{places.shown(path)}: too many links on the way")
                at = "" if seen.target.startswith("/") else at
                rest += [step for step in seen.target.split("/") if step not in ("", ".")][::-1]
            elif seen.kind in ("dir", "absent"):
                at = f"{at}/{part}"
            else:
                raise FaultError("conflict", f"{places.shown(path)}: {places.shown(part)} is not a directory")
        if len(os.fsencode(name)) > _LONGEST_NAME:
            raise FaultError("invalid_request", f"{places.shown(path[:80])}…: the name is too long")
        return f"{at}/{name}"

    def missing_folders(self, path: str) -> list[str]:
        """Return the directories that must be made first, outermost first."""
        missing: list[str] = []
        above = path.rpartition("/")[0]
        while above and self.at(above).kind == "absent":
            missing.append(above)
            above = above.rpartition("/")[0]
        return missing[::-1]

    def _on_disk(self, path: str) -> Seen:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._look(path)
        return known

    def _forget_below(self, path: str) -> None:
        if self.at(path).kind == "dir":  # not what the disk has there: a link above it may be about to go
            for place in [place for place in self._planned if place.startswith(path + "/")]:
                del self._planned[place]


def look_at_disk(path: str) -> Seen:
    """Say what is on the disk at an absolute path of the workspace's root."""
    real = places.on_agents_side(path)
    with places.told(path):
        try:
            status = os.lstat(real)
        except (FileNotFoundError, NotADirectoryError):
            return _ABSENT
        target = os.readlink(real) if stat.S_ISLNK(status.st_mode) else ""
    mode = stat.S_IMODE(status.st_mode)
    kind = places.kind_of(status)
    return Seen(kind, path, mode, status.st_uid, status.st_gid, status.st_dev, target)


def list_on_disk(path: str) -> list[str]:
    """Return the names in a directory of the workspace's root."""
    with places.told(path):
        return os.listdir(places.on_agents_side(path))
