"""What a caller insists on."""

from __future__ import annotations

from dataclasses import dataclass

from pyro_mcp.models.run import Confinement, Isolation


@dataclass(frozen=True, slots=True)
class Promises:
    """What the caller insists on; anything less is refused before a machine is made."""

    isolation: Isolation | None = None
    confinement: Confinement | None = None
