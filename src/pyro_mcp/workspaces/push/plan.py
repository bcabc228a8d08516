"""Plan a push: the least that makes a guest's tree have what a host's directory has now. Reads the host, changes nothing.

The rules are those of the seed; `.git` is the guest's own and is never pushed. What the rules leave out on the host is
not deleted in the guest either: its build products and its `.env` stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyro_mcp.workspaces.seeding.entries import Entry, Stamp, Unseedable, why
from pyro_mcp.workspaces.seeding.manifest import Item, Manifest
from pyro_mcp.workspaces.seeding.reading import Fingerprint, fingerprint
from pyro_mcp.workspaces.seeding.select import Selection

Action = Literal["remove", "directory", "file", "symlink", "mode"]
Reader = Callable[[Entry], Fingerprint]


@dataclass(frozen=True)
class PushChange:
    """One step. `remove` takes a file, link or whole directory; `mode` sets the mode of what is there.

    Of a file `entry` says where to read it, and `digest` what it must turn out to be.
    """

    action: Action
    path: bytes
    entry: Entry | None = None
    digest: bytes = b""


@dataclass(frozen=True)
class PushPlan:
    """What to do, in this order. `overwritten` names what the guest had changed since its seed and loses now."""

    changes: tuple[PushChange, ...]
    unchanged: int
    size: int
    overwritten: tuple[bytes, ...]


@dataclass
class _Plan:
    removals: list[PushChange] = field(default_factory=list)
    directories: list[PushChange] = field(default_factory=list)
    others: list[PushChange] = field(default_factory=list)
    overwritten: list[bytes] = field(default_factory=list)
    unchanged: int = 0
    size: int = 0


def plan_push(
    selection: Selection,
    have: Manifest,
    *,
    delete: bool = False,
    include_sensitive: bool = False,
    base: Manifest | None = None,
    known: Mapping[Stamp, bytes] | None = None,
    read: Reader = fingerprint,
) -> PushPlan:
    """Compare what was selected on the host with what the guest has.

    `base` is what the guest's tree was made from, if it is known; `known` hashes need not be read again (HashCache). What cannot
    be read, or is withheld, goes into the selection's findings.
    """
    plan = _Plan()
    wanted: dict[bytes, Entry] = {}
    for entry in sorted(selection.entries, key=lambda entry: entry.path):
        if not entry.path or in_git(entry.path):
            continue
        wanted[entry.path] = entry
        try:
            _compare(plan, entry, have.get(entry.path), known or {}, read, include_sensitive)
        except _Withheld:
            selection.findings.withheld.append(entry.path)
        except Unseedable as reason:
            selection.findings.skip(entry.path, str(reason))
        except OSError as error:
            selection.findings.skip(entry.path, why(error))
    if delete:
        plan.removals += _deletions(selection, have, wanted)
    changes = (*_outermost(plan.removals), *plan.directories, *plan.others)
    overwritten = [change.path for change in changes if _lost(change, have, base)]
    return PushPlan(changes, plan.unchanged, plan.size, tuple(overwritten))


class _Withheld(Exception):
    pass


def _compare(
    plan: _Plan,
    entry: Entry,
    there: Item | None,
    known: Mapping[Stamp, bytes],
    read: Reader,
    include_sensitive: bool,
) -> None:
    if there is not None and there.kind != entry.kind:
        # A file's content is looked at first: when it cannot be taken, what is there stays.
        _add(plan, entry, _content(entry, known, read, include_sensitive))
        plan.removals.append(PushChange("remove", entry.path))
    elif there is None or (entry.kind == "file" and entry.size != there.size):
        _add(plan, entry, _content(entry, known, read, include_sensitive))
    elif (digest := _digest(entry, known, read, include_sensitive, there)) != there.digest:
        _add(plan, entry, digest)
    elif entry.kind != "symlink" and entry.mode != there.mode:
        plan.others.append(PushChange("mode", entry.path, entry))
    else:
        plan.unchanged += 1


def _add(plan: _Plan, entry: Entry, digest: bytes) -> None:
    change = PushChange(entry.kind, entry.path, entry, digest)
    if entry.kind == "directory":
        plan.directories.append(change)
    else:
        plan.others.append(change)
        plan.size += entry.size


def _content(entry: Entry, known: Mapping[Stamp, bytes], read: Reader, include_sensitive: bool) -> bytes:
    return _digest(entry, known, read, include_sensitive, None)


def _digest(
    entry: Entry, known: Mapping[Stamp, bytes], read: Reader, include_sensitive: bool, there: Item | None
) -> bytes:
    """The hash of what the entry holds. A secret is withheld, unless the guest has it already."""
    if entry.kind == "directory":
        return b""
    if entry.kind == "symlink":
        return hashlib.sha256(entry.target).digest()
    if entry.stamp is not None and (digest := known.get(entry.stamp)) is not None:
        return digest  # it was read for a seed, and not withheld
    found = read(entry)
    same = there is not None and there.digest == found.digest
    if entry.private and found.looks_secret and not include_sensitive and not same:
        raise _Withheld
    return found.digest


def _deletions(selection: Selection, have: Manifest, wanted: Mapping[bytes, Entry]) -> list[PushChange]:
    """What the guest has and the host has not, but for what the rules leave out, and the directories that hold it."""
    not_taken = {path.rstrip(b"/") for path in selection.findings.withheld + selection.findings.ignored}
    not_taken |= {path.rstrip(b"/") for path, _ in selection.findings.skipped}
    kept: set[bytes] = set()
    removals = []
    for path in sorted(have, reverse=True):  # what is in a directory comes before it
        if not path:
            continue
        is_directory = have[path].kind == "directory"
        left_out = (
            in_git(path) or _below(path, not_taken) or selection.leaves_out(path, is_directory=is_directory)
        )
        if path in wanted or path in kept or left_out:
            kept |= set(_above(path))
        else:
            removals.append(PushChange("remove", path))
    return removals


def _outermost(removals: Iterable[PushChange]) -> list[PushChange]:
    """A directory's removal takes along what is in it."""
    paths = {change.path for change in removals}
    return [PushChange("remove", path) for path in sorted(paths) if not paths.intersection(_above(path))]


def _lost(change: PushChange, have: Manifest, base: Manifest | None) -> bool:
    there = have.get(change.path)
    if base is None or there is None or change.action in ("mode", "directory"):
        return False
    if change.action == "remove" and there.kind == "directory":
        below = change.path + b"/"
        return any(path.startswith(below) and _differs(item, base.get(path)) for path, item in have.items())
    return _differs(there, base.get(change.path))


def _differs(there: Item, before: Item | None) -> bool:
    return before is None or (there.kind, there.digest) != (before.kind, before.digest)


def _above(path: bytes) -> Iterable[bytes]:
    while b"/" in path:
        path = path.rpartition(b"/")[0]
        yield path


def _below(path: bytes, roots: set[bytes]) -> bool:
    return path in roots or any(above in roots for above in _above(path))


def in_git(path: bytes) -> bool:
    """Tell whether a path is, or lies in, a `.git`: the workspace's own, never pushed and never looked at."""
    return b"/.git/" in b"/" + path + b"/"
