"""What decides the guest kit: its data files, and the agent's sources. Read at every start of pyro, so light to import."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from pyro_mcp.environments import cpio
from pyro_mcp.errors import HostUnfit

KIT_DATA = Path(__file__).with_name("kit_data")
KERNEL, RAM_DISK, ROOT, BUSYBOX = "vmlinuz", "base.cpio", "root.squashfs", "busybox"
_AGENT_PACKAGES = ("pyro_agent", "pyro_wire")
_AGENT_MAIN = b"from pyro_agent.main import main\n\nmain()\n"


def kit_key(builder: int) -> str:
    """Hash what decides what a kit is, but for the state of the archive on the day it is built."""
    parts = [str(builder).encode(), *(path.read_bytes() for path in sorted(KIT_DATA.iterdir()))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def agent_archive() -> bytes:
    """Pack the agent's installed sources, and the wire's, as a second archive for the RAM disk."""
    members = [cpio.directory("agent"), cpio.file("agent/__main__.py", _AGENT_MAIN)]
    for package in _AGENT_PACKAGES:
        place = _package_directory(package)
        members.append(cpio.directory(f"agent/{package}"))
        for path in sorted(place.rglob("*")):
            inside = f"agent/{package}/{path.relative_to(place)}"
            if path.is_dir() and path.name != "__pycache__":
                members.append(cpio.directory(inside))
            elif path.suffix == ".py":
                members.append(cpio.file(inside, path.read_bytes()))
    return cpio.archive(members)


def _package_directory(package: str) -> Path:
    """Find an installed package without running it: the agent's code is the guest's."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise HostUnfit(f"{package} is not installed beside pyro_mcp", hint="Install pyro-mcp again.")
    return Path(next(iter(spec.submodule_search_locations)))
