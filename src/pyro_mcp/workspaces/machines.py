"""From an environment and a size to a running machine: find the template, claim a place, start a keeper."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.environments.values import Environment, Kit
from pyro_mcp.errors import HostUnfit
from pyro_mcp.guest.channel import Channel
from pyro_mcp.guest.preparing import prepare_fresh
from pyro_mcp.host.paths import Paths, private_directory
from pyro_mcp.host.uids import claim_uid
from pyro_mcp.keeper.places import Place, claim, clear_left_behind, release
from pyro_mcp.keeper.plan import Identity, KeeperPlan, Leash
from pyro_mcp.keeper.start import start_keeper
from pyro_mcp.models.run import Confinement, Isolation
from pyro_mcp.qemu.command import Accelerator
from pyro_mcp.qemu.confine import Walls, reachable_level
from pyro_mcp.qemu.disks import DiskStore
from pyro_mcp.qemu.installed import QemuInstall, find_qemu
from pyro_mcp.qemu.process import DriveFiles, Launch, LayerFile
from pyro_mcp.qemu.templates import Template, TemplateKey, TemplateStore, boot_arguments, machine_cpu

DISK_MIB = 16384


@dataclass(frozen=True, slots=True)
class Size:
    """What a machine is given."""

    vcpu_count: int
    mem_mib: int
    disk_mib: int = DISK_MIB


@dataclass(frozen=True, slots=True)
class Promises:
    """What the caller insists on; anything less is refused before a machine is made."""

    isolation: Isolation | None = None
    confinement: Confinement | None = None


@dataclass(slots=True)
class RunningMachine:
    """A machine that answers requests."""

    machine_id: str
    socket: Path
    isolation: Isolation
    confinement: Confinement

    def channel(self) -> Channel:
        return Channel(self.socket)


class MachineShop:
    """Makes machines on this host."""

    def __init__(self, paths: Paths, environments: EnvironmentStore) -> None:
        self._paths = paths
        self._environments = environments
        self._disks = DiskStore(paths.cache / "disks")
        self._templates = TemplateStore(paths.cache / "templates", paths.runtime / "templates")

    @contextmanager
    def throwaway(self, environment: Environment, size: Size, promises: Promises) -> Iterator[RunningMachine]:
        """Run a machine for the length of the block; nothing of it is left afterwards."""
        clear_left_behind(self._paths)
        accelerator, walls = self._granted(promises)
        with ExitStack() as held:
            uid, uid_lock = self._own_uid(walls, held)
            walls = replace(walls, uid=uid)
            plan = self._launch(environment, size, accelerator, walls)
            template = self._template(environment, size, plan)
            place = claim(self._paths, f"run-{secrets.token_hex(4)}")
            held.callback(release, place)
            keeper = start_keeper(self._keeper_plan(place, plan, template, size), [place.lock, *uid_lock])
            held.callback(keeper.let_go)
            keeper.wait_ready()
            yield RunningMachine(
                place.machine_id,
                place.socket,
                "hardware" if accelerator == "kvm" else "emulated",
                walls.level,
            )

    def _granted(self, promises: Promises) -> tuple[Accelerator, Walls]:
        accelerator: Accelerator = "tcg"
        level = reachable_level(self._paths.cache / "host")
        if promises.isolation == "hardware" and accelerator != "kvm":
            raise HostUnfit(
                "hardware isolation is required and KVM cannot run a machine on this host",
                hint="run on a host with working KVM, or drop --require-isolation",
            )
        if promises.confinement == "full" and level != "full":
            raise HostUnfit(
                f"full confinement is required and this host allows only: {level}",
                hint="sudo apt-get install bubblewrap, and allow unprivileged user namespaces",
            )
        return accelerator, Walls(level)

    def _own_uid(self, walls: Walls, held: ExitStack) -> tuple[int | None, list[int]]:
        if walls.level != "full" or os.geteuid() != 0:
            return None, []
        uid, lock = claim_uid()
        held.callback(os.close, lock)
        return uid, [lock]

    def _launch(self, environment: Environment, size: Size, accelerator: Accelerator, walls: Walls) -> Launch:
        install = find_qemu(self._paths.cache / "host")
        kit = self._environments.kit()
        return Launch(
            name="template",
            install=install,
            accelerator=accelerator,
            cpu=machine_cpu(install, accelerator)[0],
            vcpu_count=size.vcpu_count,
            mem_mib=size.mem_mib,
            kernel=kit.kernel,
            initrd=kit.initrd,
            kernel_arguments=boot_arguments(install, accelerator),
            drives=self._drives(kit, environment),
            walls=walls,
            incoming=False,
            log=Path(os.devnull),
        )

    def _drives(self, kit: Kit, environment: Environment) -> tuple[DriveFiles, ...]:
        """In the order the guest knows them by; the workspace's disk follows."""
        return (
            DriveFiles("kit", (LayerFile(kit.root),)),
            DriveFiles("environment", (LayerFile(environment.image),)),
            DriveFiles("seed", (self._disks.empty_seed(),)),
        )

    def _with_disk(self, plan: Launch, written: Path, size: Size, *below: LayerFile) -> Launch:
        """Add a disk: blank, then the frozen layers `below`, then a new one at `written`."""
        layers = (self._disks.blank(size.disk_mib), *below, self._disks.new_layer(written, size.disk_mib))
        return replace(plan, drives=(*plan.drives, DriveFiles("disk", layers, writable=True)))

    def _template(self, environment: Environment, size: Size, plan: Launch) -> Template:
        private_directory(self._paths.cache / "templates")
        private_directory(self._paths.runtime)
        install = plan.install
        cpu, host_cpu = machine_cpu(install, plan.accelerator)
        key = TemplateKey(
            environment=environment.digest,
            kit=self._environments.kit().digest,
            qemu=_version(install),
            accelerator=plan.accelerator,
            cpu=cpu,
            host_cpu=host_cpu,
            kernel_arguments=plan.kernel_arguments,
            vcpu_count=size.vcpu_count,
            mem_mib=size.mem_mib,
            disk_mib=size.disk_mib,
            fresh=True,
        )
        return self._templates.ensure(key, lambda written: self._with_disk(plan, written, size), prepare_fresh)

    def _keeper_plan(self, place: Place, plan: Launch, template: Template, size: Size) -> KeeperPlan:
        named = replace(plan, name=place.machine_id, log=place.directory / "qemu.log")
        launch = self._with_disk(named, place.directory / "disk.qcow2", size, template.disk)
        return KeeperPlan(
            machine_id=place.machine_id,
            directory=place.directory,
            socket=place.socket,
            launch=launch,
            template=template,
            identity=Identity(hostname=place.machine_id, machine_id=secrets.token_hex(16)),
            seeded=False,
            leash=Leash(with_client=True),
        )


def _version(install: QemuInstall) -> str:
    return f"{install.binary} {install.version}"
