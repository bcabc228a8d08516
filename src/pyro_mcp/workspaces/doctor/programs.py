"""The programs that pyro runs: which are here, and which Debian package brings the others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.programs import search_path
from pyro_mcp.models.doctor import Check, Health
from pyro_mcp.qemu.installed import QemuInstall, find_qemu


@dataclass(frozen=True, slots=True)
class Tool:
    """Something pyro cannot do a job without: a program by name, or a file by path."""

    name: str
    package: str
    job: str
    without: Health = "fail"


RUNNING = (
    Tool("qemu-img", "qemu-utils", "makes disks"),
    Tool("mkfs.ext4", "e2fsprogs", "formats disks"),
    Tool("prlimit", "util-linux", "bounds QEMU"),
    Tool("setpriv", "util-linux", "takes QEMU's privileges"),
    Tool("bwrap", "bubblewrap", "shuts QEMU in", without="warn"),
)
# Needed once per environment: a host whose environments are there runs machines without them.
BUILDING = (
    Tool("mmdebstrap", "mmdebstrap", "builds environments", without="warn"),
    Tool("mksquashfs", "squashfs-tools", "packs the guest kit", without="warn"),
    Tool("sqfstar", "squashfs-tools", "packs environments", without="warn"),
    Tool("unshare", "util-linux", "builds environments without root", without="warn"),
    Tool(
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        "debian-archive-keyring",
        "verifies packages",
        "warn",
    ),
)
AS_A_USER = (Tool("newuidmap", "uidmap", "builds environments without root", without="warn"),)


def check_tools() -> Iterator[Check]:
    """Tell of each tool whether it is here."""
    tools = (*RUNNING, *BUILDING, *(AS_A_USER if os.geteuid() != 0 else ()))
    return (check_tool(tool) for tool in tools)


def check_tool(tool: Tool) -> Check:
    name = Path(tool.name).name
    found = tool.name if Path(tool.name).is_absolute() else shutil.which(tool.name, path=search_path())
    if found and Path(found).exists():
        return Check(name=name, health="pass", fact=found)
    return Check(
        name=name,
        health=tool.without,
        fact=f"not installed; it {tool.job}",
        remedy=f"sudo apt-get install {tool.package}",
        packages=(tool.package,),
    )


def check_qemu(remember: Path) -> tuple[Check, QemuInstall | None]:
    """Tell which QEMU machines run on; None when there is none that will do."""
    try:
        install = find_qemu(remember)
    except HostUnfit as error:
        fact = error.brief if error.details is None else f"{error.brief}: {error.details}"
        missing = ("qemu-system-x86",) if shutil.which("qemu-system-x86_64") is None else ()
        return Check(name="qemu", health="fail", fact=fact, remedy=error.hint, packages=missing), None
    return Check(name="qemu", health="pass", fact=f"{install.version} ({install.binary})"), install
