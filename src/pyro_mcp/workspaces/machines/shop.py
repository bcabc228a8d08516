"""From an environment and a size to a running machine: find the template, claim a place, start a keeper."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.environments.values import Environment
from pyro_mcp.errors import Conflict, PyroError
from pyro_mcp.host.paths import Paths
from pyro_mcp.keeper.machine.places import Place, claim, clear_left_behind, release, release_files
from pyro_mcp.keeper.plan import Identity, KeeperPlan, Leash, Network
from pyro_mcp.keeper.start import StartedKeeper, starting_keeper
from pyro_mcp.models.network import NO_NETWORK, NetworkSettings
from pyro_mcp.qemu.flatten import flatten
from pyro_mcp.qemu.launch import Launch, LayerFile
from pyro_mcp.qemu.templates import Template
from pyro_mcp.workspaces.machines.making import Making, Workbench
from pyro_mcp.workspaces.machines.network import network_plan
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.machines.values import (
    RunningMachine,
    Size,
    StartedMachine,
    WorkspaceDisk,
    passing_id,
)


class MachineShop:
    """Makes machines on this host."""

    def __init__(self, paths: Paths, environments: EnvironmentStore) -> None:
        self._paths = paths
        self._bench = Workbench(paths, environments)

    @contextmanager
    def throwaway(
        self,
        keeper: StartedKeeper,
        environment: Environment,
        size: Size,
        promises: Promises,
        network: NetworkSettings = NO_NETWORK,
        seed: Path | None = None,
    ) -> Iterator[RunningMachine]:
        """Run a machine for the length of the block, held by a keeper that holds none yet; nothing of it is left afterwards.

        `seed`: the image of what is to be in /workspace.
        """
        clear_left_behind(self._paths)
        with ExitStack() as held:
            made = self._bench.begin(environment, size, promises, held)
            template = self._bench.template(made, fresh=True)
            place, written = self._passing(keeper.machine_id, size, held)
            own = None if seed is None else LayerFile(_own_name(seed, place))
            launch = self._bench.launch(made, place, (template.disk, written), seed=own)
            leash = Leash(with_client=True)
            plan = _plan(place, launch, template, leash, network_plan(network, None))
            plan = replace(plan, seeded=own is not None)
            yield _held(keeper, plan, made, place, held)

    @contextmanager
    def looking(
        self, disk: WorkspaceDisk, environment: Environment, promises: Promises
    ) -> Iterator[RunningMachine]:
        """Run a throwaway machine that sees a workspace's frozen layers; what it writes itself goes when the block ends."""
        clear_left_behind(self._paths)
        machine_id = passing_id("look")
        with ExitStack() as held:
            keeper = held.enter_context(starting_keeper(machine_id))
            made = self._bench.begin(environment, disk.size, promises, held)
            template = self._bench.template(made, fresh=False)
            place, written = self._passing(machine_id, disk.size, held)
            launch = self._bench.launch(made, place, (*disk.layers, written), seed=disk.seed)
            leash = Leash(with_client=True)
            plan = _plan(place, launch, template, leash, network_plan(NO_NETWORK, place.directory), disk)
            yield _held(keeper, plan, made, place, held)

    def flatten(
        self,
        disk: WorkspaceDisk,
        environment: Environment,
        promises: Promises,
        target: int,
    ) -> None:
        """Write a workspace's own disk, all layers as one, into an empty layer; a confined QEMU that boots nothing reads it."""
        clear_left_behind(self._paths)
        with ExitStack() as held:
            made = self._bench.begin(environment, disk.size, promises, held)
            # QEMU copies only from what could be written: an empty layer on top, which nothing writes.
            place, written = self._passing(passing_id("flat"), disk.size, held)
            launch = self._bench.launch(made, place, (*disk.layers, written))
            own = tuple(drive for drive in launch.drives if drive.name == "disk")
            flatten(replace(launch, drives=own), target, disk.size.disk_mib << 20)

    def start(
        self,
        disk: WorkspaceDisk,
        environment: Environment,
        promises: Promises,
        leash: Leash,
        network: Network,
        keeper: StartedKeeper,
    ) -> StartedMachine:
        """Start the machine of a workspace, held by a keeper that holds none yet; it goes on when this process ends."""
        with ExitStack() as held:
            made = self._bench.begin(environment, disk.size, promises, held)
            template = self._template_for(made, disk)
            place = claim(self._paths, disk.workspace_id)
            held.callback(os.close, place.lock)
            launch = self._bench.launch(made, place, disk.layers, seed=disk.seed)
            plan = _plan(place, launch, template, leash, network, disk)
            keeper.hold(plan, made.locks(place))
            try:
                keeper.wait_ready()
            except PyroError:
                release_files(place)
                raise
            return StartedMachine(made.running(place), keeper)

    def base_layer(self, environment: Environment, size: Size, promises: Promises, path: Path) -> LayerFile:
        """Put the disk of a new workspace at `path`: the very file that its first machine was frozen with."""
        with ExitStack() as held:
            made = self._bench.begin(environment, size, promises, held)
            template = self._bench.template(made, fresh=True)
        try:
            path.hardlink_to(template.disk.path)
        except OSError:  # another filesystem: its first start then mounts the disk like any other
            shutil.copyfile(template.disk.path, path)
        return LayerFile(path, "qcow2")

    def new_layer(self, path: Path, size: Size) -> LayerFile:
        """Make an empty layer for a workspace's disk."""
        return self._bench.disks.new_layer(path, size.disk_mib)

    def is_empty(self, layer: Path, size: Size) -> bool:
        """Tell whether nothing was ever written to a layer."""
        return self._bench.disks.is_empty(layer, size.disk_mib)

    def _template_for(self, made: Making, disk: WorkspaceDisk) -> Template:
        """An untouched disk is the one that a fresh template was frozen with, unless that was made anew since."""
        if disk.untouched:
            fresh = self._bench.template(made, fresh=True)
            if fresh.disk.path.samefile(disk.layers[0].path):
                return fresh
        return self._bench.template(made, fresh=False)

    def _passing(self, machine_id: str, size: Size, held: ExitStack) -> tuple[Place, LayerFile]:
        """A place that goes at the end of `held`, and an empty layer in it."""
        place = claim(self._paths, machine_id)
        held.callback(release, place)
        return place, self.new_layer(place.directory / "disk.qcow2", size)


def _own_name(seed: Path, place: Place) -> Path:
    """Give a seed image a name in the machine's own place: no workspace keeps it from being pruned meanwhile."""
    own = place.directory / "seed.sqfs"
    try:
        own.hardlink_to(seed)
    except FileNotFoundError as error:
        raise Conflict("the seed was pruned before it was used", hint="Run it again.") from error
    return own


def _held(
    keeper: StartedKeeper, plan: KeeperPlan, made: Making, place: Place, held: ExitStack
) -> RunningMachine:
    """A machine that ends at the end of `held`."""
    keeper.hold(plan, made.locks(place))
    held.callback(keeper.let_go)
    keeper.wait_ready()
    return made.running(place)


def _identity(machine_id: str) -> str:
    """What /etc/machine-id says: other for each workspace, the same whenever it is started, as of any computer."""
    return hashlib.sha256(f"pyro machine {machine_id}".encode()).hexdigest()[:32]


def _plan(
    place: Place,
    launch: Launch,
    template: Template,
    leash: Leash,
    network: Network,
    disk: WorkspaceDisk | None = None,
) -> KeeperPlan:
    plan = KeeperPlan(
        machine_id=place.machine_id,
        directory=place.directory,
        socket=place.socket,
        launch=launch,
        template=template,
        identity=Identity(hostname=place.machine_id, machine_id=_identity(place.machine_id)),
        seeded=False,
        leash=leash,
        network=network,
    )
    if disk is None:
        return plan
    return replace(
        plan,
        identity=replace(plan.identity, hostname=disk.hostname),
        seeded=disk.seed is not None,
        secrets=disk.secrets,
        ports=disk.published,
    )
