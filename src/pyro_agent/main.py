"""From the kit's init to serving the host."""

from __future__ import annotations

import glob
import os
import traceback

from pyro_agent import boot
from pyro_agent.base import log

_PORTS = "/sys/class/virtio-ports/*/name"
_PORT_NAME = "org.pyro.agent"
AGENT_VERSION = "1"


def main() -> None:
    """Prepare the machine, then answer the host until the machine ends."""
    _fill_standard_descriptors()
    log.open_console()
    try:
        port = os.open(find_port(), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        dispatcher, facts = boot.prepare(port)
        log.say(f"ready: {facts}")
        dispatcher.serve(port, {"agent": AGENT_VERSION, "kernel": os.uname().release, **facts})
    except BaseException:
        # The kernel panics when its first process ends, QEMU stops, and the host finds these words in its log.
        for line in traceback.format_exc().splitlines():
            log.say(line)
        raise


def find_port() -> str:
    """Return the device of the host's line."""
    for path in glob.glob(_PORTS):
        with open(path) as file:
            if file.read().strip() == _PORT_NAME:
                return f"/dev/{path.split('/')[-2]}"
    raise FileNotFoundError(f"no virtio port is called {_PORT_NAME}")


def _fill_standard_descriptors() -> None:
    """Make sure that 0 to 2 are taken, so that no pipe of a command ever gets one of these numbers."""
    descriptor = os.open("/dev/null", os.O_RDWR)
    while descriptor <= 2:
        descriptor = os.dup(descriptor)
    os.close(descriptor)
