"""What every way of making a machine has in common: what it is made of, its drives, its template."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.environments.values import Environment, Kit
from pyro_mcp.errors import GuestFailed
from pyro_mcp.guest.preparing import prepare_bare, prepare_fresh
from pyro_mcp.host.paths import Paths, private_directory
from pyro_mcp.host.room import require_disk, require_memory
from pyro_mcp.keeper.machine.places import Place
from pyro_mcp.models.run import Isolation
from pyro_mcp.qemu.command import Accelerator
from pyro_mcp.qemu.confine import Walls
from pyro_mcp.qemu.disks import DiskStore
from pyro_mcp.qemu.installed import QemuInstall, find_qemu
from pyro_mcp.qemu.launch import DriveFiles, Launch, LayerFile
from pyro_mcp.qemu.probe import forget
from pyro_mcp.qemu.templates import Template, TemplateKey, TemplateStore, boot_arguments, machine_cpu
from pyro_mcp.qemu.trials import Kernel
from pyro_mcp.workspaces.machines.granting import granted, own_uid
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.machines.values import RunningMachine, Size


@dataclass(frozen=True, slots=True)
class Making:
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
        """Describe the machine once it runs."""
        isolation: Isolation = "hardware" if self.accelerator == "kvm" else "emulated"
        return RunningMachine(place.machine_id, place.socket, isolation, self.walls.level)


class Workbench:
    """The tools for it on this host."""

    def __init__(self, paths: Paths, environments: EnvironmentStore) -> None:
        self._paths = paths
        self._environments = environments
        self.disks = DiskStore(paths.cache / "disks")
        self._templates = TemplateStore(paths.cache / "templates", paths.runtime / "templates")

    def begin(self, environment: Environment, size: Size, promises: Promises, held: ExitStack) -> Making:
        """Look what is there for a machine. Raises HostUnfit or LimitReached where the host has not enough of it."""
        remember = self._paths.cache / "host"
        install = find_qemu(remember)
        accelerator, walls = granted(remember, install, promises, self._kernel)
        require_memory(size.mem_mib)
        require_disk(self._paths.state)
        uid, uid_locks = own_uid(walls, held)
        kit = self._environments.kit()
        return Making(environment, kit, install, size, accelerator, replace(walls, uid=uid), uid_locks)

    def _kernel(self) -> Kernel:
        kit = self._environments.kit()
        return Kernel(kit.kernel, kit.initrd)

    def launch(
        self, made: Making, place: Place | None, layers: tuple[LayerFile, ...], seed: LayerFile | None = None
    ) -> Launch:
        """Say how QEMU is started: drives in the order the guest knows them by, which is kit, environment, seed, disk."""
        drives = (
            DriveFiles("kit", (LayerFile(made.kit.root),)),
            DriveFiles("environment", (LayerFile(made.environment.image),)),
            DriveFiles("seed", (seed or self.disks.empty_seed(),)),
            DriveFiles("disk", (self.disks.blank(made.size.disk_mib), *layers), writable=True),
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

    def template(self, made: Making, *, fresh: bool) -> Template:
        """Give the frozen machine to restore, made if need be; a fresh one has an empty disk mounted already."""
        private_directory(self._paths.cache / "templates")
        private_directory(self._paths.runtime)

        def plan(written: Path) -> Launch:
            return self.launch(made, None, (self.disks.new_layer(written, made.size.disk_mib),))

        try:
            return self._templates.ensure(_key(made, fresh), plan, prepare_fresh if fresh else prepare_bare)
        except GuestFailed:
            if made.accelerator == "kvm":
                forget(self._paths.cache / "host")  # KVM may have changed: the next start tries it anew
            raise


def _key(made: Making, fresh: bool) -> TemplateKey:
    cpu, host_cpu = machine_cpu(made.install, made.accelerator)
    return TemplateKey(
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
