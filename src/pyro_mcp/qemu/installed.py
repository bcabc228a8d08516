"""Find the QEMU of this host and what it needs to run, and remember it: asking costs more than starting a machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.facts import boot_id, file_identity, remembered
from pyro_mcp.qemu.tsc import measure_khz

INSTALL_HINT = "sudo apt-get install qemu-system-x86 qemu-utils"
# x-ignore-shared and the microvm board's ACPI: everything we lean on is in 6.0; 7.2 is the oldest one we test.
OLDEST_TESTED = (7, 2)
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class QemuInstall:
    """One QEMU as installed: its binary, version, and every file that a confined one must see."""

    binary: str
    version: str
    libraries: tuple[str, ...]
    data: tuple[str, ...]
    tsc_khz: int
    host_cpu: str


def find_qemu(remember: Path) -> QemuInstall:
    """Give this host's QEMU; what is asked of it is kept in the directory `remember`."""
    found = shutil.which("qemu-system-x86_64")
    if found is None:
        raise HostUnfit("QEMU is not installed: there is no qemu-system-x86_64 on PATH", hint=INSTALL_HINT)
    binary = os.path.realpath(found)
    identity = f"{_FORMAT}:{file_identity(binary)}:{boot_id()}"
    known = remembered(remember / "qemu.json", identity, lambda: asdict(_ask(binary)))
    lists = {name: tuple(known[name]) for name in ("libraries", "data")}
    return QemuInstall(**{**known, **lists})


def _ask(binary: str) -> QemuInstall:
    said = _output([binary, "--version"])
    found = re.search(r"version (\d+)\.(\d+)[^\n]*", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_TESTED:
        raise HostUnfit(
            f"this QEMU is too old: {said.splitlines()[0] if said else binary}", hint=INSTALL_HINT
        )
    libraries = tuple(sorted(set(re.findall(r"(/\S+) \(0x", _output(["ldd", binary])))))
    return QemuInstall(binary, found[0], libraries, _data_files(binary), measure_khz(), _host_cpu())


def _data_files(binary: str) -> tuple[str, ...]:
    """The board's firmware and, where Debian ships accelerators as modules, the emulator itself."""
    prefix = Path(binary).parent.parent
    firmware = ("bios-microvm.bin", "qboot.rom", "linuxboot_dma.bin", "pvh.bin")
    wanted = [prefix / "share/qemu" / name for name in firmware]
    wanted += [prefix / "share/seabios" / name for name in firmware[:1]]
    wanted += sorted(prefix.glob("lib/*/qemu/accel-tcg-x86_64.so"))
    return tuple(str(path) for path in wanted if path.exists())


def _host_cpu() -> str:
    """The processor's model and flags: a template made under KVM carries them in its registers."""
    lines = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines()
    kept = ("vendor_id", "cpu family", "model", "stepping", "flags")
    return "\n".join(line for line in lines if line.split("\t")[0] in kept)


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostUnfit(
            f"{command[0]} does not run on this host", details=str(error), hint=INSTALL_HINT
        ) from error
