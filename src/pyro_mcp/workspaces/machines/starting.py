"""Start the machine of a workspace: recorded before it is made, and again once its keeper holds it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyro_mcp.host.paths import Paths
from pyro_mcp.host.processes import identify
from pyro_mcp.workspaces.machines.grounds import Grounds, Parts
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.registry import machines, workspaces
from pyro_mcp.workspaces.registry.database import Registry
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord
from pyro_mcp.workspaces.secrets.known import KnownSecrets
from pyro_mcp.workspaces.storage.directories import Directories
from pyro_mcp.workspaces.storage.sharing import leave_mark

# Needed once a machine is: `workspace list` is as quick as what it imports is little.
if TYPE_CHECKING:
    from pyro_mcp.environments.values import Environment
    from pyro_mcp.keeper.ports.port import Port
    from pyro_mcp.keeper.start import StartedKeeper
    from pyro_mcp.workspaces.machines.values import StartedMachine, WorkspaceDisk


class Starter:
    """Starts machines that go on when this process ends."""

    def __init__(
        self,
        paths: Paths,
        registry: Registry,
        directories: Directories,
        grounds: Grounds,
        secrets: KnownSecrets,
        parts: Parts,
        promises: Promises,
    ) -> None:
        self._paths = paths
        self._registry = registry
        self._directories = directories
        self._grounds = grounds
        self._secrets = secrets
        self._parts = parts
        self._promises = promises

    def start(self, record: WorkspaceRecord, *, untouched: bool = False) -> Path:
        """Start the machine of a workspace on its disk, under Machines.lock(); returns its socket.

        `untouched`: nothing was ever written to that disk.
        """
        with self.ahead(record.id) as keeper:
            return self.go_on(record, keeper, untouched=untouched)

    def ahead(self, workspace_id: str) -> AbstractContextManager[StartedKeeper]:
        """Start the keeper before its machine can be described: it comes up while the rest is done."""
        from pyro_mcp.keeper.start import starting_keeper

        return starting_keeper(workspace_id)

    def go_on(self, record: WorkspaceRecord, keeper: StartedKeeper, *, untouched: bool = False) -> Path:
        """Do what start() does with a keeper that was started ahead."""
        leave_mark(self._paths)  # also for workspaces that were made before there were marks
        environment = self._grounds.environment_of(record)
        disk = self._grounds.disk_of(record, record.top_layer)
        disk = replace(disk, untouched=untouched, secrets=self._secrets.values(record.id))
        self._directories.ended_file(record.id).unlink(missing_ok=True)
        ports = self._claim(record)
        try:
            started = self._make(record, environment, replace(disk, published=ports), keeper)
        except BaseException:
            with self._registry.changing() as change:
                machines.forget(change, record.id)
            raise
        self._record(record, started)
        started.keeper.detach()
        return started.machine.socket

    def _claim(self, record: WorkspaceRecord) -> tuple[Port, ...]:
        """Record a machine that is about to be made; gives the ports of this host that lead into it again."""
        from pyro_mcp.keeper.ports.port import Port
        from pyro_mcp.workspaces.registry import services

        with self._registry.changing() as change:
            machines.claim(
                change,
                record.id,
                workspace_id=record.id,
                runtime=self._paths.runtime / f"{record.id}.sock",
                maker=this_process(),
            )
            published = services.publish_again(change, record.id, this_process())
        return tuple(
            Port(port.address, port.host_port, port.guest_port, service) for service, port in published
        )

    def _make(
        self, record: WorkspaceRecord, environment: Environment, disk: WorkspaceDisk, keeper: StartedKeeper
    ) -> StartedMachine:
        from pyro_mcp.keeper.plan import Leash
        from pyro_mcp.workspaces.machines.network import network_plan

        leash = Leash(
            with_client=False,
            idle_stop_seconds=record.idle_stop_seconds,
            ended=str(self._directories.ended_file(record.id)),
        )
        network = network_plan(record.network, self._directories.of(record.id))
        return self._parts.shop.start(disk, environment, self._promises, leash, network, keeper)

    def _record(self, record: WorkspaceRecord, started: StartedMachine) -> None:
        machine = started.machine
        keeper = identify(started.keeper.process.pid)
        with self._registry.changing() as change:
            if keeper is not None:
                machines.started(
                    change, record.id, keeper, isolation=machine.isolation, confinement=machine.confinement
                )
            workspaces.set_state(change, record.id, "running")
