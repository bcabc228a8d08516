"""A plan for a keeper, whose machine cannot be."""

from pathlib import Path

from pyro_mcp.keeper.plan import Identity, KeeperPlan, Leash
from pyro_mcp.keeper.ports.port import Port
from pyro_mcp.qemu.confine import Walls
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.launch import DriveFiles, Launch, LayerFile
from pyro_mcp.qemu.templates import Template

VALUE = b"\xffsecret value\x00\n"


def a_plan() -> KeeperPlan:
    place, disk = Path("/run/m"), LayerFile(Path("/disks/a"), "qcow2")
    launch = Launch(
        name="m",
        install=QemuInstall("qemu", "7.2", ("libc.so",), ("bios",), 7, "mod"),
        accelerator="tcg",
        cpu="max",
        vcpu_count=1,
        mem_mib=64,
        kernel=place,
        initrd=place,
        kernel_arguments=("quiet",),
        drives=(DriveFiles("disk", (disk,), writable=True),),
        walls=Walls("none"),
        incoming=False,
        log=place,
    )
    return KeeperPlan(
        machine_id="m",
        directory=place,
        socket=place,
        launch=launch,
        template=Template("d", place, place, disk, place),
        identity=Identity("m", "0" * 32),
        seeded=True,
        leash=Leash(with_client=False, idle_stop_seconds=5),
        secrets={"TOKEN": VALUE},
        ports=(Port("127.0.0.1", 8080, 80, "web"),),
    )
