"""Disk space that came free."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneReport:
    """How much of what was removed, and the bytes that it took.

    `environments` counts images, those of guest kits included; `left` says why something was not looked at.
    """

    environments: int
    seeds: int
    templates: int
    layers: int
    freed_bytes: int
    left: str | None = None
