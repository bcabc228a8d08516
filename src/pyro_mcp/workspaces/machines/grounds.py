"""What a workspace's machine stands on: its environment, its seed, and the layers of its disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyro_mcp.errors import NotFound
from pyro_mcp.host.paths import Paths, private_directory
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.registry import layers, resources
from pyro_mcp.workspaces.registry.database import Registry
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.reconcile import remove_layers
from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord

# Needed once a machine is: `workspace list` is as quick as what it imports is little.
if TYPE_CHECKING:
    from pyro_mcp.environments.store import EnvironmentStore
    from pyro_mcp.environments.values import Environment
    from pyro_mcp.qemu.launch import LayerFile
    from pyro_mcp.workspaces.machines.shop import MachineShop
    from pyro_mcp.workspaces.machines.values import Size, WorkspaceDisk
    from pyro_mcp.workspaces.seeding.store import SeedStore


class Parts(Protocol):
    """What is needed of the engine, each made when it is first asked for."""

    @property
    def environment_store(self) -> EnvironmentStore: ...

    @property
    def seeds(self) -> SeedStore: ...

    @property
    def shop(self) -> MachineShop: ...


def size_of(record: WorkspaceRecord) -> Size:
    """Give the size of a workspace's machine."""
    from pyro_mcp.workspaces.machines.values import Size

    return Size(record.vcpu_count, record.mem_mib, record.disk_mib)


class Grounds:
    """What every workspace stands on, found by its record."""

    def __init__(self, paths: Paths, registry: Registry, parts: Parts) -> None:
        self._paths = paths
        self._registry = registry
        self._parts = parts

    def environment_of(self, record: WorkspaceRecord) -> Environment:
        """Give the environment that a workspace was made with, even if its recipe has moved on since."""
        environment = self._parts.environment_store.standing(record.environment, record.environment_digest)
        if environment is None:
            raise NotFound(
                f"the image of {record.environment} that this workspace stands on is gone",
                hint="`pyro env pull` brings the environment of today, and an imported one comes back by `pyro env import`; "
                "this workspace's own files can be exported",
            )
        return environment

    def disk_of(self, record: WorkspaceRecord, layer_id: str | None) -> WorkspaceDisk:
        """Describe a workspace's disk up to one layer, with the seed below it."""
        from pyro_mcp.qemu.launch import LayerFile
        from pyro_mcp.workspaces.machines.values import WorkspaceDisk

        with self._registry.reading() as reading:
            chain = layers.chain(reading, layer_id) if layer_id else ()
        return WorkspaceDisk(
            workspace_id=record.id,
            hostname=(record.name or record.id)[:63],
            size=size_of(record),
            layers=tuple(LayerFile(layer.path, "qcow2") for layer in chain),
            seed=self._seed_of(record),
        )

    def _seed_of(self, record: WorkspaceRecord) -> LayerFile | None:
        """Give the seed that a workspace stands on; None for one that began empty."""
        from pyro_mcp.qemu.launch import LayerFile

        if record.seed_digest is None:
            return None
        image = self._parts.seeds.find(record.seed_digest)
        if image is None:
            raise NotFound(
                "the seed that this workspace stands on is gone from the cache",
                hint="Delete the workspace and create it again from its source.",
            )
        return LayerFile(image)

    def base_layer(
        self, record: WorkspaceRecord, environment: Environment, promises: Promises
    ) -> layers.PlannedLayer:
        """Make the lowest layer of a new workspace's disk."""
        shop = self._parts.shop
        return self._layer(record, lambda path: shop.base_layer(environment, size_of(record), promises, path))

    def new_layer(self, record: WorkspaceRecord) -> layers.PlannedLayer:
        """Make another layer for a workspace's disk."""
        shop = self._parts.shop
        return self._layer(record, lambda path: shop.new_layer(path, size_of(record)))

    def _layer(self, record: WorkspaceRecord, make: Callable[[Path], LayerFile]) -> layers.PlannedLayer:
        """Make the file of a layer, recorded before it is there."""
        directory = private_directory(self._paths.state / "layers")
        with self._registry.changing() as change:
            planned = layers.plan(
                change, directory, size_mib=record.disk_mib, owner=record.id, maker=this_process()
            )
        with resources.dooming(self._registry, planned.resource):
            make(planned.path)
        return planned

    def free_layers(self) -> None:
        """Remove the layers that nothing stands on any more."""
        with self._registry.changing() as change:
            doomed = layers.free_unreferenced(change)
        remove_layers(self._registry, doomed)
