"""Who is making something: the process that recorded it, for good, so that a later pyro knows whether it still does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.processes import ProcessIdentity, identify


@dataclass(frozen=True, slots=True)
class Maker:
    """A process and the boot it ran in: after a reboot numbers and start times may meet again by chance."""

    process: ProcessIdentity
    boot: str


@cache
def this_boot() -> str:
    """Name the boot that this process runs in."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def this_process() -> Maker:
    """Name the process that calls."""
    found = identify(os.getpid())
    if found is None:
        raise HostUnfit("/proc does not show this very process", hint="Mount /proc.")
    return Maker(found, this_boot())
