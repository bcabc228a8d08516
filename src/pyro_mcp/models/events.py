"""The history of a workspace as callers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar


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
