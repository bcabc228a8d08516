"""An emulated computer that offers KVM: AMD's SVM with nested paging, as QEMU's emulation has it. Slow, and real."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import pyro_mcp
from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.host.paths import Paths
from pyro_mcp.models.encoding import JsonObject

_HERE = Path(__file__).parent
_SOURCE = Path(pyro_mcp.__file__).parents[1]
# The kernel of the host comes up in 20 s; pyro inside makes a template and starts two machines from it.
_SECONDS = 900


@dataclass(frozen=True)
class Answer:
    """What one pyro command inside said on standard output, and its exit status."""

    status: int
    said: str

    def json(self) -> JsonObject:
        found: JsonObject = json.loads(self.said)
        return found


def ask_inside(work: Path) -> tuple[dict[str, Answer], str]:
    """Boot the host and let it run `inside.sh`; returns its answers by name, and its whole console."""
    store = EnvironmentStore(replace(Paths.from_environment(), config=_HERE))
    host = store.ensure("kvm-host").image
    store.ensure("debian:12")
    store.kit()
    boot = _unpacked_boot(host, work)
    payload = _payload(work)
    kernel, initrd = (next(boot.glob(pattern)) for pattern in ("vmlinuz-*", "initrd.img-*"))
    done = subprocess.run(
        _command(kernel, initrd, host, payload),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    console = (done.stdout + done.stderr).decode(errors="replace")
    found = re.findall(r"^pyro-smoke (\w+) (\d+) (.*?)\r?$", console, re.MULTILINE)
    return {name: Answer(int(status), said) for name, status, said in found}, console


def _command(kernel: Path, initrd: Path, root: Path, payload: Path) -> list[str]:
    script = (
        "mount -t tmpfs tmpfs /mnt; mkdir /mnt/p; mount -t squashfs /dev/vdb /mnt/p; exec sh /mnt/p/inside.sh"
    )
    words = f'console=ttyS0 quiet root=/dev/vda rootfstype=squashfs ro panic=-1 init=/bin/sh -- -c "{script}"'
    drives = [f"file={path},format=raw,if=virtio,read-only=on,file.locking=off" for path in (root, payload)]
    return [
        *("qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "EPYC-v1"),
        *("-smp", "2", "-m", "4096", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-serial", "stdio", "-kernel", str(kernel), "-initrd", str(initrd), "-append", words),
        *(argument for drive in drives for argument in ("-drive", drive)),
    ]


def _unpacked_boot(image: Path, work: Path) -> Path:
    target = work / "host"
    subprocess.run(["unsquashfs", "-quiet", "-no-progress", "-d", target, image, "boot"], check=True)
    return target / "boot"


def _payload(work: Path) -> Path:
    """Pack pyro, click, and the cache with what a machine needs."""
    place = work / "payload"
    place.mkdir()
    click = find_spec("click")
    assert click is not None
    assert click.origin is not None
    shutil.copytree(_SOURCE, place / "src")
    shutil.copytree(Path(click.origin).parent, place / "site" / "click")
    shutil.copy(_HERE / "inside.sh", place)
    (place / "where").write_text(f"SOURCE={_SOURCE}\n")
    cache = Paths.from_environment().cache
    left_out = shutil.ignore_patterns("templates", "host", "disks", "staging", "lock", "*.lock")
    debian = EnvironmentStore(Paths.from_environment()).ensure("debian:12").image.parent
    for folder in ("kits", "ramdisks"):
        shutil.copytree(cache / folder, place / "cache" / folder, ignore=left_out)
    shutil.copytree(cache / "environments" / "keys", place / "cache" / "environments" / "keys")
    shutil.copytree(debian, place / "cache" / "environments" / debian.name)
    packed = work / "payload.squashfs"
    plain = ("-noI", "-noD", "-noF", "-noX", "-no-progress", "-quiet", "-all-root")
    subprocess.run(["mksquashfs", place, packed, *plain], check=True, stdout=subprocess.DEVNULL)
    return packed
