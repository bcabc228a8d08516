"""The history of a workspace as callers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Self

# By the first word of their kinds.
ONLY_FULL_KINDS = frozenset({"network", "shell", "service", "snapshot", "disk", "fork"})
_ONLY_FULL_DATA = frozenset({"snapshot", "secrets"})


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
        return replace(
            self,
            events=tuple(
                replace(event, data={k: v for k, v in event.data.items() if k not in _ONLY_FULL_DATA})
                for event in self.events
                if event.kind.partition(".")[0] not in ONLY_FULL_KINDS
            ),
        )
