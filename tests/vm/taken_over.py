"""Put the player in QEMU's place on this host and tell what it found; run as `python -m tests.vm.taken_over LEVEL`.

A process of its own, so that it can be started as another user.
"""

import ctypes
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pyro_mcp.host.uids import claim_uid
from pyro_mcp.qemu.confine import Level, Walls
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.launch import DriveFiles, Launch, LayerFile
from pyro_mcp.qemu.memory import shared_memory
from pyro_mcp.qemu.process import launch

PLAYER = Path(__file__).with_name("player.py")
# The player is run by the system's own Python: another may lie in a home directory that a machine's uid cannot enter.
_PYTHON = Path("/usr/bin/python3").resolve()
_IPC_CREATE = 0o1000


@dataclass(frozen=True)
class Report:
    """What the player held when it started, and what came of each try."""

    held: dict[str, str]
    tries: dict[str, str]


def play(level: Level) -> Report:
    """Start the player as a machine is started at this level, beside everything worth reaching."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyro-player-")))
        place.chmod(0o755)  # the player itself must be found by a machine's own uid
        aim = stack.enter_context(_worth_reaching(place))
        walls = Walls(level, uid=_own_uid(stack))
        memory = stack.enter_context(shared_memory("player", place / "memory", place / "notes"))
        memory.finish()
        plan = _plan(place, walls, json.dumps(aim))
        qemu = stack.enter_context(launch(plan, memory.descriptor, memory_shared=False))
        said = json.loads(_everything(qemu.console) or "null")
        if said is None:
            raise qemu.death("the player said nothing")
        assert (place / "shared").read_bytes() == b"image of all" * 1000, "the shared image was written"
        assert os.pread(memory.descriptor, 16, 0) == b"the template's..", "the template was written"
        return Report(**said)


def _own_uid(stack: ExitStack) -> int | None:
    if os.geteuid() != 0:
        return None
    uid, lock = claim_uid()
    stack.callback(os.close, lock)
    return uid


@contextmanager
def _worth_reaching(place: Path) -> Iterator[dict[str, object]]:
    """Make what a taken-over QEMU would like: all of it this very user's, so that only the walls stand between."""
    home = place / "home"
    home.mkdir(mode=0o700)
    for name in ("secret", "other-disk"):
        (home / name).write_text("not for machines" * 10)
    (place / "shared").write_bytes(b"image of all" * 1000)
    for name in ("own-disk", "kernel", "initrd"):
        (place / name).write_bytes(bytes(4096))
    if os.geteuid() == 0:
        os.chown(place / "own-disk", 0, 0)
    (place / "memory").write_bytes(b"the template's.." * 65536)
    key = 0x7000_0000 | os.getpid()
    with ExitStack() as stack:
        abstract = f"pyro-player-{os.getpid()}"
        loopback = _listen(stack, socket.AF_INET, ("127.0.0.1", 0))
        _listen(stack, socket.AF_UNIX, "\0" + abstract)
        _listen(stack, socket.AF_UNIX, str(place / "keeper.sock"))
        bystander = stack.enter_context(_bystander())
        stack.enter_context(_shared_segment(key))
        yield {
            "port": loopback.getsockname()[1],
            "abstract": abstract,
            "socket": str(place / "keeper.sock"),
            "home": str(home),
            "secret": str(home / "secret"),
            "other_disk": str(home / "other-disk"),
            "own_disk": str(place / "own-disk"),
            "shared": [str(place / name) for name in ("shared", "kernel", "initrd")],
            "process": bystander,
            "shared_memory_key": key,
        }


def _listen(stack: ExitStack, family: int, address: object) -> socket.socket:
    listener = stack.enter_context(socket.socket(family))
    listener.bind(address)  # type: ignore[arg-type]
    listener.listen()
    return listener


@contextmanager
def _bystander() -> Iterator[int]:
    """Another process of this user: it waits until its input ends."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


@contextmanager
def _shared_segment(key: int) -> Iterator[None]:
    library = ctypes.CDLL(None, use_errno=True)
    segment = library.shmget(key, 4096, _IPC_CREATE | 0o666)
    assert segment >= 0
    try:
        yield
    finally:
        library.shmctl(segment, 0, None)


def _plan(place: Path, walls: Walls, aim: str) -> Launch:
    player = place / "player"
    player.write_text(f"#!{_PYTHON} -ISB\n{PLAYER.read_text()}")
    player.chmod(0o755)
    return Launch(
        name="player",
        install=QemuInstall(str(player), "", _python_files(), (), 0, ""),
        accelerator="tcg",
        cpu="max",
        vcpu_count=1,
        mem_mib=256,
        kernel=place / "kernel",
        initrd=place / "initrd",
        kernel_arguments=(aim,),
        drives=(
            DriveFiles("shared", (LayerFile(place / "shared"),)),
            DriveFiles("disk", (LayerFile(place / "own-disk"),), writable=True),
        ),
        walls=walls,
        incoming=False,
        log=place / "log",
    )


def _python_files() -> tuple[str, ...]:
    """What the system's Python needs, beyond what a QEMU would be shown."""
    asked = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    library = subprocess.run([_PYTHON, "-IS", "-c", asked], capture_output=True, text=True, check=True)
    stdlib = Path(library.stdout.strip())
    objects = [_PYTHON, *stdlib.glob("lib-dynload/*.so")]
    linked = subprocess.run(["ldd", *objects], capture_output=True, text=True, check=False).stdout
    return (str(_PYTHON), str(stdlib), *sorted(set(re.findall(r"(/\S+) \(0x", linked))))


def _everything(console: socket.socket) -> bytes:
    console.settimeout(30)
    said = b""
    while chunk := console.recv(65536):
        said += chunk
    return said


def main() -> None:
    """Print the report as JSON."""
    report = play(cast(Level, sys.argv[1]))
    print(json.dumps({"held": report.held, "tries": report.tries}))


if __name__ == "__main__":
    main()
