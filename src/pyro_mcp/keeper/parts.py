"""What a keeper does besides holding its machine: each part brings verbs of its own, and knows nothing of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pyro_mcp.keeper.lines.switchboard import Open


class Part(Protocol):
    """One kind of thing that goes on in a machine; made by `Keeper`, which joins them all."""

    def verbs(self) -> Mapping[str, Open]:
        """Give the requests that it serves, by their `keeper.` name."""
        ...

    @property
    def busy(self) -> bool:
        """Tell whether it holds the idle clock by more than a request that the agent works on: such hold it anyway."""
        ...

    def ended(self, reason: str) -> None:
        """Learn that the machine is over, or will be when this returns; told once. The agent's streams are failed afterwards."""
        ...
