"""The history of a workspace as callers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Self

# By the first word of their kinds.
_ONLY_FULL = frozenset({"network", "shell", "service", "snapshot", "disk"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceEvent:
    """One thing that happened. `hash` covers the event and, through the hash before it, all earlier ones."""

    plural: ClassVar[str] = "events"

    sequence: int
    at: datetime
    kind: str
    outcome: str
    duration_ms: int | None = None
    # JSON; a recursive type would have no schema.
    data: Mapping[str, object] = field(default_factory=dict)
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceLogs:
    """Events, oldest first. `faults` says where the hash chain shows damage or gaps: empty when the history is whole."""

    events: tuple[WorkspaceEvent, ...]
    faults: tuple[str, ...] = ()

    def narrowed(self) -> Self:
        """The same without what only the widest profile has operations for."""
        kept = tuple(event for event in self.events if event.kind.partition(".")[0] not in _ONLY_FULL)
        return replace(self, events=kept)
