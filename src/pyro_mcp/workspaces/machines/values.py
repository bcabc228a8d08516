"""What is said about machines: what one is to be given, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

# Needed once a machine is: `workspace list` is as quick as what it imports is little.
if TYPE_CHECKING:
    from pyro_mcp.guest.channel import Channel
    from pyro_mcp.keeper.ports.port import Port
    from pyro_mcp.keeper.start import StartedKeeper
    from pyro_mcp.models.run import Confinement, Isolation
    from pyro_mcp.qemu.launch import LayerFile

DISK_MIB = 16384


def passing_id(kind: str) -> str:
    """Name a machine that belongs to no workspace; `kind` says what it is for."""
    return f"{kind}-{os.urandom(4).hex()}"


@dataclass(frozen=True, slots=True)
class Size:
    """What a machine is given."""

    vcpu_count: int
    mem_mib: int
    disk_mib: int = DISK_MIB


@dataclass(frozen=True, slots=True)
class WorkspaceDisk:
    """What a workspace's machine is started with. `untouched`: the top layer is empty and lies on the base alone.

    `published`: ports of this host that are to lead into it.
    """

    workspace_id: str
    hostname: str
    size: Size
    layers: tuple[LayerFile, ...]
    seed: LayerFile | None = None
    untouched: bool = False
    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    published: tuple[Port, ...] = ()


@dataclass(frozen=True, slots=True)
class RunningMachine:
    """A machine that answers requests."""

    machine_id: str
    socket: Path
    isolation: Isolation
    confinement: Confinement

    def channel(self) -> Channel:
        """Open a connection to its keeper."""
        from pyro_mcp.guest.channel import Channel

        return Channel(self.socket)


@dataclass(frozen=True, slots=True)
class StartedMachine:
    """A workspace's machine, and the keeper that holds it: recorded first, then detached, or let go."""

    machine: RunningMachine
    keeper: StartedKeeper
