"""Decide what a crash left behind, and clean it. The decision is pure; carrying it out twice does no harm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.host.processes import ProcessIdentity
from pyro_mcp.workspaces.registry import machines, resources
from pyro_mcp.workspaces.registry.database import Reading
from pyro_mcp.workspaces.registry.machines import MachineRecord
from pyro_mcp.workspaces.registry.makers import Maker
from pyro_mcp.workspaces.registry.resources import ResourceRecord

# A lock's file stays: taking it from under somebody who opens it would give two holders.
_WITH_A_FILE = frozenset({"directory", "socket", "layer"})


@dataclass(frozen=True)
class Transition:
    """A workspace that `maker` was creating or deleting."""

    workspace_id: str
    maker: Maker


@dataclass(frozen=True)
class Known:
    """Everything on record that a crash can have made untrue."""

    resources: tuple[ResourceRecord, ...]
    machines: tuple[MachineRecord, ...]
    transitions: tuple[Transition, ...]
    workspaces: frozenset[str]


@dataclass(frozen=True)
class Facts:
    """How this host is now: its boot, the recorded processes that still run, and whom the tokens of unknown ones name."""

    boot: str
    alive: frozenset[ProcessIdentity]
    by_token: Mapping[str, frozenset[ProcessIdentity]]


@dataclass(frozen=True)
class Kill:
    """End a process that nobody wants, or whose number was never recorded."""

    process: ProcessIdentity


@dataclass(frozen=True)
class DropMachine:
    """Take a machine off the record whose keeper is dead."""

    machine_id: str
    workspace_id: str | None


@dataclass(frozen=True)
class DropWorkspace:
    """Finish what its maker did not live to do: a workspace half created or half deleted goes."""

    workspace_id: str


@dataclass(frozen=True)
class Remove:
    """Remove a file or a whole directory."""

    path: Path


@dataclass(frozen=True)
class Forget:
    """Take a resource off the record, once what the earlier actions say is done."""

    resource_id: int


Action = Kill | DropMachine | DropWorkspace | Remove | Forget


def plan_cleanup(known: Known, facts: Facts) -> tuple[Action, ...]:
    """Tell what to do, in this order; nothing when all is as recorded.

    What a dropped machine or workspace had becomes unwanted by that very drop, so it is cleaned in the same plan.
    """
    dead = tuple(machine for machine in known.machines if not _held(machine, facts))
    broken = tuple(at.workspace_id for at in known.transitions if not _lives(at.maker, facts))
    wanted = _Wanted(
        facts,
        machines=frozenset(m.id for m in known.machines if m not in dead and m.workspace_id not in broken),
        workspaces=known.workspaces - frozenset(broken),
    )
    unwanted = [resource for resource in known.resources if not wanted.keeps(resource)]
    kills = {process for resource in unwanted for process in _processes(resource, facts)}
    kills |= {
        m.keeper for m in known.machines if m.workspace_id in broken and m.keeper in facts.alive and m.keeper
    }
    return (
        *(Kill(process) for process in sorted(kills, key=lambda process: process.pid)),
        *(DropMachine(machine.id, machine.workspace_id) for machine in dead),
        *(DropWorkspace(workspace_id) for workspace_id in broken),
        *(Remove(r.path) for r in unwanted if r.kind in _WITH_A_FILE and r.path is not None),
        *(Forget(resource.id) for resource in unwanted),
    )


@dataclass(frozen=True)
class _Wanted:
    facts: Facts
    machines: frozenset[str]
    workspaces: frozenset[str]

    def keeps(self, resource: ResourceRecord) -> bool:
        if resource.phase == "doomed":
            return False  # whoever doomed it may be removing it too: both may
        if resource.phase == "planned" or resource.scope == "maker":
            return _lives(resource.maker, self.facts)
        if resource.kind == "process" and resource.process not in self.facts.alive:
            return False
        return self._has_owner(resource)

    def _has_owner(self, resource: ResourceRecord) -> bool:
        return resource.owner in (self.machines if resource.scope == "machine" else self.workspaces)


def _lives(maker: Maker, facts: Facts) -> bool:
    return maker.boot == facts.boot and maker.process in facts.alive


def _held(machine: MachineRecord, facts: Facts) -> bool:
    if machine.maker.boot != facts.boot:
        return False
    return (machine.keeper or machine.maker.process) in facts.alive


def _processes(resource: ResourceRecord, facts: Facts) -> frozenset[ProcessIdentity]:
    if resource.kind != "process" or resource.maker.boot != facts.boot:
        return frozenset()
    if resource.process is not None:
        return frozenset({resource.process}) & facts.alive
    return facts.by_token.get(resource.token or "", frozenset())


def load(reading: Reading) -> Known:
    """Read all that plan_cleanup() needs."""
    at_work = reading.rows(
        "SELECT id, maker_pid, maker_started, maker_boot FROM workspaces WHERE maker_pid IS NOT NULL"
    )
    return Known(
        resources=resources.recorded(reading),
        machines=machines.recorded(reading),
        transitions=tuple(
            Transition(row[0], Maker(ProcessIdentity(row[1], row[2]), row[3])) for row in at_work
        ),
        workspaces=frozenset(row[0] for row in reading.rows("SELECT id FROM workspaces")),
    )
