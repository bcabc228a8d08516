"""Plan a push: bring what the host changed since host and workspace last agreed. Reads the host, changes nothing.

What only the workspace changed stays as it is. What both changed differently is a clash: the push is refused, or the host's
version wins where that is asked for. The rules are those of the seed; `.git` is the guest's own and is never pushed. What the
rules leave out on the host is not deleted in the guest either: its build products and its `.env` stay.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyro_mcp.errors import Conflict
from pyro_mcp.workspaces.push.merging import Verdict, alike, merge, same
from pyro_mcp.workspaces.seeding.entries import Entry, Stamp, Unseedable, why
from pyro_mcp.workspaces.seeding.manifest import Item, Manifest
from pyro_mcp.workspaces.seeding.reading import Fingerprint, fingerprint
from pyro_mcp.workspaces.seeding.select import Selection

Action = Literal["remove", "remove-all", "remove-empty", "directory", "file", "symlink", "mode"]
Reader = Callable[[Entry], Fingerprint]
# Up to so many files are removed one by one, each only if it is as it was seen. More would take long (4 ms each where machines
# are emulated): then directories that go wholly go in one step.
_MOST_ONE_BY_ONE = 500
_REMOVALS = frozenset({"remove", "remove-all", "remove-empty"})


@dataclass(frozen=True)
class PushChange:
    """One step. `remove` takes a file, link or empty directory, `remove-all` whatever is there, `remove-empty` a directory if
    nothing is in it by then; `mode` sets the mode of what is there.

    Of a file `entry` says where to read it, and `digest` what it must turn out to be.
    """

    action: Action
    path: bytes
    entry: Entry | None = None
    digest: bytes = b""
    mode: int = 0

    @property
    def removes(self) -> bool:
        """Whether it takes something away."""
        return self.action in _REMOVALS


@dataclass(frozen=True)
class PushPlan:
    """What to do, in this order, and what host and workspace agree on once it is done (None: that there is nothing).

    `kept` names what only the workspace had changed, `overwritten` what it loses; with `clashes` nothing may be done.
    """

    changes: tuple[PushChange, ...]
    unchanged: int
    size: int
    removed: int = 0
    kept: tuple[bytes, ...] = ()
    overwritten: tuple[bytes, ...] = ()
    clashes: tuple[tuple[bytes, str], ...] = ()
    agreed: Mapping[bytes, Item | None] = field(default_factory=dict)


def plan_push(
    selection: Selection,
    have: Manifest,
    *,
    base: Manifest | None,
    delete: bool = False,
    overwrite: bool = False,
    include_sensitive: bool = False,
    known: Mapping[Stamp, bytes] | None = None,
    read: Reader = fingerprint,
) -> PushPlan:
    """Compare what was selected on the host with what the guest has, and both with the `base` they come from.

    Without a base (None) all the guest has counts as unchanged. `known` hashes need not be read again (HashCache). What cannot
    be read, or is withheld, goes into the selection's findings.
    """
    host = _Host(selection, have, known or {}, read, include_sensitive)
    planning = _Planning(host.wanted, have, base, overwrite=overwrite)
    planning.merge_all()
    if delete:
        planning.delete(_LeftOut(selection))
    return planning.plan()


# -- what the host has ----------------------------------------------------------------------------------------------------


class _Withheld(Exception):
    pass


class _Host:
    """What the host has now: entries with their versions, in order of their paths; None where it cannot be taken."""

    def __init__(
        self,
        selection: Selection,
        have: Manifest,
        known: Mapping[Stamp, bytes],
        read: Reader,
        include_sensitive: bool,
    ) -> None:
        self._known = known
        self._read = read
        self._include_sensitive = include_sensitive
        self.wanted: dict[bytes, tuple[Entry, Item] | None] = {}
        for entry in sorted(selection.entries, key=lambda entry: entry.path):
            if not entry.path or in_git(entry.path):
                continue
            self.wanted[entry.path] = None
            try:
                digest = self._digest(entry, have.get(entry.path))
            except _Withheld:
                selection.findings.withheld.append(entry.path)
            except Unseedable as reason:
                selection.findings.skip(entry.path, str(reason))
            except OSError as error:
                selection.findings.skip(entry.path, why(error))
            else:
                self.wanted[entry.path] = entry, Item(entry.kind, entry.mode, entry.size, 0, digest)

    def _digest(self, entry: Entry, there: Item | None) -> bytes:
        """The hash of what the entry holds. A secret is withheld, unless the guest has it already."""
        if entry.kind == "directory":
            return b""
        if entry.kind == "symlink":
            return hashlib.sha256(entry.target).digest()
        if entry.stamp is not None and (digest := self._known.get(entry.stamp)) is not None:
            return digest  # it was read for a seed, and not withheld
        found = self._read(entry)
        has_it = there is not None and there.digest == found.digest
        if entry.private and found.looks_secret and not self._include_sensitive and not has_it:
            raise _Withheld
        return found.digest


class _LeftOut:
    """What the host may well have, though it was not selected there."""

    def __init__(self, selection: Selection) -> None:
        findings = selection.findings
        if findings.skipped_uncounted:
            raise Conflict(
                "so much of the host's directory cannot be read that nobody knows what was deleted there",
                hint="Make it readable, or push without delete.",
            )
        self._selection = selection
        self._not_taken = {path.rstrip(b"/") for path in findings.withheld + findings.ignored}
        self._not_taken |= {path.rstrip(b"/") for path, _ in findings.skipped}

    def has(self, path: bytes, *, is_directory: bool) -> bool:
        """Tell whether the rules leave a path out, so that its absence says nothing."""
        return (
            in_git(path)
            or _below(path, self._not_taken)
            or self._selection.leaves_out(path, is_directory=is_directory)
        )


# -- what is to be done ---------------------------------------------------------------------------------------------------


class _Planning:
    def __init__(
        self,
        wanted: Mapping[bytes, tuple[Entry, Item] | None],
        have: Manifest,
        base: Manifest | None,
        *,
        overwrite: bool,
    ) -> None:
        self._wanted = wanted
        self._have = have
        self._based = base is not None
        self._base: Manifest = have if base is None else base
        self._overwrite = overwrite
        self._below_have, self._below_base = _Tree(have), _Tree(self._base)
        self._verdicts: dict[bytes, Verdict] = {}
        self._removals: dict[bytes, PushChange] = {}
        self._directories: list[PushChange] = []
        self._others: list[PushChange] = []
        self._clashes: dict[bytes, str] = {}
        self._replaced: list[bytes] = []
        self._unchanged = 0
        self._size = 0
        self._agreed: dict[bytes, Item | None] = {}

    def merge_all(self) -> None:
        """Decide on all that the host has."""
        for path, found in self._wanted.items():
            if found is None:
                continue
            before, there = self._base.get(path), self._have.get(path)
            if before is there and same(found[1], there):  # as nearly all are: nobody changed it
                self._unchanged += 1
            else:
                self._verdicts[path] = merge(before, found[1], there)
        for path in [path for path, verdict in self._verdicts.items() if verdict.take == "all"]:
            self._need_directories(path)
        for path, verdict in self._verdicts.items():
            self._carry_out(path, verdict)

    def _need_directories(self, path: bytes) -> None:
        """What is written has to lie in directories: one that the workspace deleted comes back, for nothing is lost by that."""
        for above in _above(path):
            verdict, there = self._verdicts.get(above), self._have.get(above)
            if verdict is not None and verdict.kept and (there is None or there.kind != "directory"):
                clash = "" if there is None else "a directory on the host, none in the workspace"
                self._verdicts[above] = Verdict("all", verdict.mode, clash=clash)

    def _carry_out(self, path: bytes, verdict: Verdict) -> None:
        found = self._wanted[path]
        assert found is not None
        entry, version = found
        there = self._have.get(path)
        self._agree(path, version)
        if verdict.clash:
            self._clashes[path] = verdict.clash
        if verdict.take == "mode":
            self._others.append(PushChange("mode", path, entry, mode=verdict.mode))
        elif verdict.take == "all":
            if there is not None:
                self._replaced += [] if self._based else [path]
            if there is not None and there.kind != entry.kind:
                self._make_way(path, there)
            self._add(PushChange(entry.kind, path, entry, version.digest, verdict.mode))
        elif not verdict.kept:
            self._unchanged += 1

    def _agree(self, path: bytes, version: Item) -> None:
        before = self._base.get(path)
        if not same(before, version):
            self._agreed[path] = version
        if before is not None and before.kind == "directory" and version.kind != "directory":
            self._agreed.update(dict.fromkeys(self._below_base.below(path)))

    def _add(self, change: PushChange) -> None:
        if change.action == "directory":
            self._directories.append(change)
        else:
            self._others.append(change)
            self._size += change.entry.size if change.entry is not None else 0

    def _make_way(self, path: bytes, there: Item) -> None:
        """Take away what is of another kind, a directory with all that was not changed in it."""
        if there.kind != "directory":
            self._removals[path] = PushChange("remove", path)
            return
        inside = self._below_have.below(path)
        changed = [one for one in inside if not same(self._have[one], self._base.get(one))]
        self._clashes.update(dict.fromkeys(changed, "changed in the workspace, and below a file of the host"))
        if changed or path in self._clashes or not self._based:
            self._removals[path] = PushChange("remove-all", path)  # only if the host's version is to win
        else:
            self._removals.update({one: PushChange("remove", one) for one in (path, *inside)})

    def delete(self, left_out: _LeftOut) -> None:
        """Remove what the host has deleted, unless the workspace changed it; and the directories in which nothing stays."""
        stays: set[bytes] = set()
        replaced = {path for path in self._removals if path in self._wanted}
        for path in sorted(self._have, reverse=True):  # what is in a directory comes before it
            there, before = self._have[path], self._base.get(path)
            if not path or path in self._removals or _below(path, replaced):
                continue
            is_directory = there.kind == "directory"
            if path in self._wanted or before is None or left_out.has(path, is_directory=is_directory):
                stays.update(_above(path))
            elif not (is_directory and path in stays and alike(there, before)):
                self._remove(path, there, before)
        for path in self._base.keys() - self._have.keys() - self._wanted.keys() - {b""}:
            if not left_out.has(path, is_directory=self._base[path].kind == "directory"):
                self._agreed[path] = None

    def _remove(self, path: bytes, there: Item, before: Item) -> None:
        self._agreed[path] = None
        if not same(there, before):
            self._clashes[path] = "deleted on the host, changed in the workspace"
        if there.kind != "directory":
            self._removals[path] = PushChange("remove", path)
            self._replaced += [] if self._based else [path]
        else:
            action: Action = "remove-empty" if alike(there, before) else "remove-all"
            self._removals[path] = PushChange(action, path)

    def plan(self) -> PushPlan:
        """Give the plan: removals first, what is in a directory before it; then directories, then the rest."""
        many = len(self._removals) > _MOST_ONE_BY_ONE
        whole = {
            path
            for path, change in self._removals.items()
            if change.action == "remove-all" or (many and self._have[path].kind == "directory")
        }
        removals = [
            PushChange("remove-all", path) if path in whole else self._removals[path]
            for path in sorted(self._removals, reverse=True)
            if not any(above in whole for above in _above(path))
        ]
        kept = [path for path, verdict in self._verdicts.items() if verdict.kept and not verdict.clash]
        clashes = tuple(sorted(self._clashes.items()))
        return PushPlan(
            changes=(*removals, *self._directories, *self._others),
            unchanged=self._unchanged,
            size=self._size,
            removed=len(self._removals),
            kept=tuple(path for path in kept if not self._lies_in_a_kept(path)),
            overwritten=tuple([path for path, _ in clashes] if self._based else sorted(self._replaced)),
            clashes=() if self._overwrite else clashes,
            agreed=self._agreed,
        )

    def _lies_in_a_kept(self, path: bytes) -> bool:
        """Whether it goes without saying: it is not there because a directory above is not."""
        return any(
            (verdict := self._verdicts.get(above)) is not None
            and verdict.kept
            and ((there := self._have.get(above)) is None or there.kind != "directory")
            for above in _above(path)
        )


class _Tree:
    """Finds what lies below a path."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._paths: list[bytes] | None = None

    def below(self, path: bytes) -> list[bytes]:
        """List it in order."""
        if self._paths is None:
            self._paths = sorted(self._manifest)
        return self._paths[bisect_left(self._paths, path + b"/") : bisect_left(self._paths, path + b"0")]


def _above(path: bytes) -> Iterator[bytes]:
    while b"/" in path:
        path = path.rpartition(b"/")[0]
        yield path


def _below(path: bytes, roots: set[bytes]) -> bool:
    return path in roots or any(above in roots for above in _above(path))


def in_git(path: bytes) -> bool:
    """Tell whether a path is, or lies in, a `.git`: the workspace's own, never pushed and never looked at."""
    return b"/.git/" in b"/" + path + b"/"
