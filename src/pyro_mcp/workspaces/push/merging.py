"""Decide what becomes of one path, from what it was when host and workspace last agreed on it, and what either has now. Pure.

What only one side changed is taken from that side, content and mode each for itself; what both changed differently is a clash.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeVar

from pyro_mcp.workspaces.seeding.manifest import Item

Take = Literal["nothing", "mode", "all"]
_Choice = Literal["same", "kept", "host's", "clash"]
_Part = TypeVar("_Part", bytes, int)
_EXECUTABLE = 0o111


class Verdict(NamedTuple):
    """How much of the host's version to take, and the mode that the entry has then. `kept`: the workspace's own change stays.

    `clash` says in words why the two do not go together, empty where they do: the rest is what holds if the host's is to win.
    """

    take: Take
    mode: int
    kept: bool = False
    clash: str = ""


def merge(base: Item | None, host: Item, there: Item | None) -> Verdict:
    """Decide on what the host has; `base` is None where the two never agreed on anything, `there` where nothing is."""
    if there is not None and there.kind == host.kind:
        return _merge_parts(base, host, there)
    if same(host, base):
        return Verdict("nothing", host.mode, kept=True)
    return Verdict("all", host.mode, clash="" if same(there, base) else _both_changed(base, there))


def same(one: Item | None, other: Item | None) -> bool:
    """Tell whether two versions are one; no times, and no link's mode, for it has none."""
    if one is None or other is None:
        return one is other
    return alike(one, other) and (one.kind == "symlink" or one.mode == other.mode)


def alike(one: Item | None, other: Item | None) -> bool:
    """Tell whether two versions hold the same, whatever their modes."""
    return one is not None and other is not None and (one.kind, one.digest) == (other.kind, other.digest)


def _merge_parts(base: Item | None, host: Item, there: Item) -> Verdict:
    before = base if base is not None and base.kind == host.kind else None
    content = _choose(before and before.digest, host.digest, there.digest)
    mode = _mode(before, host, there)
    take: Take = "nothing"
    if content in ("host's", "clash"):
        take = "all"
    elif mode in ("host's", "clash"):
        take = "mode"
    clash = ""
    if content == "clash":
        clash = _both_changed(base, there)
    elif mode == "clash":
        clash = f"mode {host.mode:o} on the host, {there.mode:o} in the workspace"
    kept = take != "all" and "kept" in (content, mode)
    return Verdict(take, there.mode if mode == "kept" else host.mode, kept, clash)


def _mode(before: Item | None, host: Item, there: Item) -> _Choice:
    if host.kind == "symlink":
        return "same"
    chosen = _choose(before and before.mode, host.mode, there.mode)
    if chosen == "clash" and before is None and not (host.mode ^ there.mode) & _EXECUTABLE:
        return "host's"  # made on both sides: what else differs is the doing of two umasks, nobody's work
    return chosen


def _choose(base: _Part | None, host: _Part, there: _Part) -> _Choice:
    if host == there:
        return "same"
    if host == base:
        return "kept"
    return "host's" if there == base else "clash"


def _both_changed(base: Item | None, there: Item | None) -> str:
    if there is None:
        return "changed on the host, deleted in the workspace"
    return "added on both sides" if base is None else "changed on both sides"
