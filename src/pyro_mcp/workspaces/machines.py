"""From an environment and a size to a running machine: find the template, claim a place, start a keeper."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.environments.values import Environment, Kit
from pyro_mcp.errors import GuestFailed, HostUnfit, PyroError
from pyro_mcp.guest.channel import Channel
from pyro_mcp.guest.preparing import prepare_bare, prepare_fresh
from pyro_mcp.host.paths import Paths, private_directory
from pyro_mcp.host.room import require_disk, require_memory
from pyro_mcp.host.uids import claim_uid
from pyro_mcp.keeper.places import Place, claim, clear_left_behind, release, release_files
from pyro_mcp.keeper.plan import Identity, KeeperPlan, Leash, Network
from pyro_mcp.keeper.ports import Port
from pyro_mcp.keeper.start import StartedKeeper, start_keeper
from pyro_mcp.models.network import NO_NETWORK, NetworkSettings
from pyro_mcp.models.run import Confinement, Isolation
from pyro_mcp.qemu.command import Accelerator
from pyro_mcp.qemu.confine import Walls, reachable_level
from pyro_mcp.qemu.disks import DiskStore
from pyro_mcp.qemu.flatten import flatten
from pyro_mcp.qemu.installed import QemuInstall, find_qemu
from pyro_mcp.qemu.probe import forget, kvm_verdict
from pyro_mcp.qemu.process import DriveFiles, Launch, LayerFile
from pyro_mcp.qemu.templates import Template, TemplateKey, TemplateStore, boot_arguments, machine_cpu
from pyro_mcp.qemu.trials import Kernel
from pyro_mcp.workspaces.network import network_plan
from pyro_mcp.workspaces.promises import Promises

DISK_MIB = 16384


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
        return Channel(self.socket)


@dataclass(frozen=True, slots=True)
class StartedMachine:
    """A workspace's machine, and the keeper that holds it: recorded first, then detached, or let go."""

    machine: RunningMachine
    keeper: StartedKeeper


class MachineShop:
    """Makes machines on this host."""

    def __init__(self, paths: Paths, environments: EnvironmentStore) -> None:
        self._paths = paths
        self._environments = environments
        self._disks = DiskStore(paths.cache / "disks")
        self._templates = TemplateStore(paths.cache / "templates", paths.runtime / "templates")

    @contextmanager
    def throwaway(
        self,
        environment: Environment,
        size: Size,
        promises: Promises,
        network: NetworkSettings = NO_NETWORK,
    ) -> Iterator[RunningMachine]:
        """Run a machine for the length of the block; nothing of it is left afterwards."""
        clear_left_behind(self._paths)
        with ExitStack() as held:
            made = self._make(environment, size, promises, held)
            template = self._template(made, fresh=True)
            place = claim(self._paths, f"run-{secrets.token_hex(4)}")
            held.callback(release, place)
            written = self._disks.new_layer(place.directory / "disk.qcow2", size.disk_mib)
            launch = self._launch(made, place, (template.disk, written))
            plan = _plan(place, launch, template, Leash(with_client=True), network_plan(network, None))
            keeper = start_keeper(plan, made.locks(place))
            held.callback(keeper.let_go)
            keeper.wait_ready()
            yield made.running(place)

    @contextmanager
    def looking(
        self, disk: WorkspaceDisk, environment: Environment, promises: Promises
    ) -> Iterator[RunningMachine]:
        """Run a throwaway machine that sees a workspace's frozen layers; what it writes itself goes when the block ends."""
        clear_left_behind(self._paths)
        with ExitStack() as held:
            made = self._make(environment, disk.size, promises, held)
            template = self._template(made, fresh=False)
            place = claim(self._paths, f"look-{secrets.token_hex(4)}")
            held.callback(release, place)
            written = self._disks.new_layer(place.directory / "disk.qcow2", disk.size.disk_mib)
            launch = self._launch(made, place, (*disk.layers, written), seed=disk.seed)
            plan = _plan(
                place,
                launch,
                template,
                Leash(with_client=True),
                network_plan(NO_NETWORK, place.directory),
                hostname=disk.hostname,
                seeded=disk.seed is not None,
            )
            keeper = start_keeper(plan, made.locks(place))
            held.callback(keeper.let_go)
            keeper.wait_ready()
            yield made.running(place)

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
            made = self._make(environment, disk.size, promises, held)
            place = claim(self._paths, f"flat-{secrets.token_hex(4)}")
            held.callback(release, place)
            # QEMU copies only from what could be written: an empty layer on top, which nothing writes.
            written = self._disks.new_layer(place.directory / "disk.qcow2", disk.size.disk_mib)
            launch = self._launch(made, place, (*disk.layers, written))
            own = tuple(drive for drive in launch.drives if drive.name == "disk")
            flatten(replace(launch, drives=own), target, disk.size.disk_mib << 20)

    def is_empty(self, layer: Path, size: Size) -> bool:
        """Tell whether nothing was ever written to a layer."""
        return self._disks.is_empty(layer, size.disk_mib)

    def start(
        self,
        disk: WorkspaceDisk,
        environment: Environment,
        promises: Promises,
        leash: Leash,
        network: Network,
    ) -> StartedMachine:
        """Start the machine of a workspace; it goes on when this process ends."""
        with ExitStack() as held:
            made = self._make(environment, disk.size, promises, held)
            fresh = self._template(made, fresh=True) if disk.untouched else None
            fits = fresh is not None and fresh.disk.path.samefile(disk.layers[0].path)
            template = fresh if fits and fresh is not None else self._template(made, fresh=False)
            place = claim(self._paths, disk.workspace_id)
            held.callback(os.close, place.lock)
            launch = self._launch(made, place, disk.layers, seed=disk.seed)
            plan = _plan(
                place, launch, template, leash, network, hostname=disk.hostname, seeded=disk.seed is not None
            )
            keeper = start_keeper(
                replace(plan, secrets=disk.secrets, ports=disk.published), made.locks(place)
            )
            try:
                keeper.wait_ready()
            except PyroError:
                release_files(place)
                raise
            return StartedMachine(made.running(place), keeper)

    def base_layer(self, environment: Environment, size: Size, promises: Promises, path: Path) -> LayerFile:
        """Put the disk of a new workspace at `path`: the very file that its first machine was frozen with."""
        with ExitStack() as held:
            template = self._template(self._make(environment, size, promises, held), fresh=True)
        try:
            path.hardlink_to(template.disk.path)
        except OSError:  # another filesystem: its first start then mounts the disk like any other
            shutil.copyfile(template.disk.path, path)
        return LayerFile(path, "qcow2")

    def new_layer(self, path: Path, size: Size) -> LayerFile:
        """Make an empty layer for a workspace's disk."""
        return self._disks.new_layer(path, size.disk_mib)

    def _make(self, environment: Environment, size: Size, promises: Promises, held: ExitStack) -> _Making:
        install = find_qemu(self._paths.cache / "host")
        accelerator, walls = self._granted(promises, install)
        require_memory(size.mem_mib)
        require_disk(self._paths.state)
        uid, uid_locks = self._own_uid(walls, held)
        return _Making(
            environment,
            self._environments.kit(),
            install,
            size,
            accelerator,
            replace(walls, uid=uid),
            uid_locks,
        )

    def _granted(self, promises: Promises, install: QemuInstall) -> tuple[Accelerator, Walls]:
        level = reachable_level(self._paths.cache / "host")
        verdict = kvm_verdict(self._paths.cache / "host", install, Walls(level), self._kernel)
        if promises.isolation == "hardware" and not verdict.works:
            raise HostUnfit(
                "hardware isolation is required and KVM cannot run a machine on this host",
                details=f"{verdict.reason}: {verdict.detail}",
                hint=verdict.remedy,
            )
        if promises.confinement == "full" and level != "full":
            raise HostUnfit(
                f"full confinement is required and this host allows only: {level}",
                hint="sudo apt-get install bubblewrap, and allow unprivileged user namespaces",
            )
        return "kvm" if verdict.works else "tcg", Walls(level)

    def _kernel(self) -> Kernel:
        kit = self._environments.kit()
        return Kernel(kit.kernel, kit.initrd)

    def _own_uid(self, walls: Walls, held: ExitStack) -> tuple[int | None, list[int]]:
        if walls.level == "none" or os.geteuid() != 0:
            return None, []
        uid, lock = claim_uid()
        held.callback(os.close, lock)
        return uid, [lock]

    def _launch(
        self, made: _Making, place: Place | None, layers: tuple[LayerFile, ...], seed: LayerFile | None = None
    ) -> Launch:
        """Drives in the order the guest knows them by: kit, environment, seed, disk."""
        drives = (
            DriveFiles("kit", (LayerFile(made.kit.root),)),
            DriveFiles("environment", (LayerFile(made.environment.image),)),
            DriveFiles("seed", (seed or self._disks.empty_seed(),)),
            DriveFiles("disk", (self._disks.blank(made.size.disk_mib), *layers), writable=True),
        )
        return Launch(
            name=place.machine_id if place else "template",
            install=made.install,
            accelerator=made.accelerator,
            cpu=machine_cpu(made.install, made.accelerator)[0],
            vcpu_count=made.size.vcpu_count,
            mem_mib=made.size.mem_mib,
            kernel=made.kit.kernel,
            initrd=made.kit.initrd,
            kernel_arguments=boot_arguments(made.install, made.accelerator),
            drives=drives,
            walls=made.walls,
            incoming=False,
            log=place.directory / "qemu.log" if place else Path(os.devnull),
        )

    def _template(self, made: _Making, *, fresh: bool) -> Template:
        private_directory(self._paths.cache / "templates")
        private_directory(self._paths.runtime)
        cpu, host_cpu = machine_cpu(made.install, made.accelerator)
        key = TemplateKey(
            environment=made.environment.digest,
            kit=made.kit.digest,
            qemu=f"{made.install.binary} {made.install.version}",
            accelerator=made.accelerator,
            cpu=cpu,
            host_cpu=host_cpu,
            kernel_arguments=boot_arguments(made.install, made.accelerator),
            vcpu_count=made.size.vcpu_count,
            mem_mib=made.size.mem_mib,
            disk_mib=made.size.disk_mib,
            fresh=fresh,
        )

        def plan(written: Path) -> Launch:
            return self._launch(made, None, (self._disks.new_layer(written, made.size.disk_mib),))

        try:
            return self._templates.ensure(key, plan, prepare_fresh if fresh else prepare_bare)
        except GuestFailed:
            if made.accelerator == "kvm":
                forget(self._paths.cache / "host")  # KVM may have changed: the next start tries it anew
            raise


@dataclass(frozen=True, slots=True)
class _Making:
    """What all steps of making one machine need to know."""

    environment: Environment
    kit: Kit
    install: QemuInstall
    size: Size
    accelerator: Accelerator
    walls: Walls
    uid_locks: list[int]

    def locks(self, place: Place) -> list[int]:
        """Give the descriptors whose locks the keeper holds from now on."""
        return [place.lock, *self.uid_locks]

    def running(self, place: Place) -> RunningMachine:
        isolation: Isolation = "hardware" if self.accelerator == "kvm" else "emulated"
        return RunningMachine(place.machine_id, place.socket, isolation, self.walls.level)


def _identity(machine_id: str) -> str:
    """What /etc/machine-id says: other for each workspace, the same whenever it is started, as of any computer."""
    return hashlib.sha256(f"pyro machine {machine_id}".encode()).hexdigest()[:32]


def _plan(
    place: Place,
    launch: Launch,
    template: Template,
    leash: Leash,
    network: Network,
    *,
    hostname: str = "",
    seeded: bool = False,
) -> KeeperPlan:
    return KeeperPlan(
        machine_id=place.machine_id,
        directory=place.directory,
        socket=place.socket,
        launch=launch,
        template=template,
        identity=Identity(hostname=hostname or place.machine_id, machine_id=_identity(place.machine_id)),
        seeded=seeded,
        leash=leash,
        network=network,
    )
