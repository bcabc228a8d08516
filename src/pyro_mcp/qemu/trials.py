"""Guests that tell whether KVM can run any: a ROM that counts, and a kernel that reaches user space.

Each has a deadline and survives a QEMU that aborts, hangs or crawls; nothing of it is left afterwards.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyro_mcp.errors import PyroError
from pyro_mcp.host.processes import stop
from pyro_mcp.host.waiting import WaitedTooLong, wait_until
from pyro_mcp.qemu import probe_rom
from pyro_mcp.qemu.confine import Needs, Walls, wall_in
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.launch import Launch
from pyro_mcp.qemu.memory import empty_memory
from pyro_mcp.qemu.opening import call_filter, visible_files
from pyro_mcp.qemu.process import launch
from pyro_mcp.qemu.templates import boot_arguments, machine_cpu

Reason = Literal["ok", "no_device", "no_permission", "refused", "aborted", "hung", "crawled", "boot_failed"]

DEVICE = Path("/dev/kvm")
# With working KVM the ROM takes 0.1 s and the kernel 1 s; a nested host that is itself emulated takes 5 s for the kernel.
ROM_SECONDS = 5.0
KERNEL_SECONDS = 25.0
_ROM_MEM_MIB, _KERNEL_MEM_MIB = 64, 128
_WORDS_KEPT = 600


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether machines may use KVM here; if not, why, what was seen, and what would mend it."""

    works: bool
    reason: Reason
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel that machines boot, for the last step; its RAM disk has a shell."""

    image: Path
    initrd: Path


WORKS = Verdict(True, "ok", "a guest ran")
ELSEWHERE = (
    "use a host whose processor virtualizes for guests (bare metal, or a VM with nested virtualization); "
    "until then machines are emulated"
)


# -- the ROM ----------------------------------------------------------------------------------------------------------


def try_rom(install: QemuInstall, walls: Walls, seconds: float = ROM_SECONDS) -> Verdict:
    """Run the ROM under KVM with the CPU that machines get."""
    with ExitStack() as held:
        rom = os.memfd_create("pyro-rom")
        held.callback(os.close, rom)
        os.write(rom, probe_rom.image())
        needs = Needs(visible_files(install), _ROM_MEM_MIB, devices=(str(DEVICE),))
        seccomp = call_filter(held) if walls.level == "full" else None
        command = wall_in(_rom_command(install, rom), walls, needs, filter_fd=seccomp)
        inherited = [rom, *([seccomp] if seccomp is not None else [])]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=inherited,
                start_new_session=True,
            )
        except OSError as error:
            return Verdict(False, "refused", f"QEMU does not start: {error}", ELSEWHERE)
        assert process.stdout is not None
        try:
            said = _listen(process, process.stdout.fileno(), seconds)
        finally:
            code = stop(process)
            process.stdout.close()
    return _judge(said, code, seconds)


def _rom_command(install: QemuInstall, rom: int) -> list[str]:
    return [
        *(install.binary, "-name", "pyro-probe", "-M", "microvm,acpi=on,rtc=on,pit=off,pic=off"),
        *("-accel", "kvm", "-cpu", machine_cpu(install, "kvm")[0], "-m", str(_ROM_MEM_MIB)),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-bios", f"/proc/self/fd/{rom}", "-serial", "stdio"),
    ]


@dataclass(frozen=True, slots=True)
class _Said:
    """What came on QEMU's output, and whether QEMU was still there at the end of it."""

    words: bytes
    alive: bool


def _listen(process: subprocess.Popen[bytes], output: int, seconds: float) -> _Said:
    """Take what is said until the ROM is done, QEMU ends, or time is up. More than a few words is no ROM of ours."""
    deadline = time.monotonic() + seconds
    words = b""
    # A QEMU that closes its output and stays is one that hangs.
    while not words.endswith(probe_rom.DONE) and len(words) < 1 << 16:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([output], [], [], left)[0]:
            return _Said(words, alive=True)
        chunk = os.read(output, 4096)
        if not chunk:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0))
            return _Said(words, alive=process.poll() is None)
        words += chunk
    return _Said(words, alive=True)


# QEMU's own way to end when it cannot start; the walls' when there is no QEMU to run.
_REFUSALS = (1, 126, 127)


def _judge(said: _Said, code: int, seconds: float) -> Verdict:
    """Tell the failures apart. `code` is QEMU's exit status, negative for a signal; ours when it was still alive."""
    words = said.words.decode(errors="replace").strip()[-_WORDS_KEPT:]
    if said.words.endswith(probe_rom.DONE):
        return WORKS
    if not said.alive:
        # bubblewrap passes a signal on as a shell does.
        number = -code if code < 0 else max(code - 128, 0)
        ending = f"signal {number}" if number else f"status {code}"
        reason: Reason = "refused" if code in _REFUSALS else "aborted"
        return Verdict(False, reason, f"QEMU ended with {ending}: {words or 'it said nothing'}", ELSEWHERE)
    if probe_rom.STARTED in said.words:
        return Verdict(False, "crawled", f"a guest started and was not done in {seconds:g} s", ELSEWHERE)
    return Verdict(
        False, "hung", f"no guest ran an instruction in {seconds:g} s: {words}".rstrip(": "), ELSEWHERE
    )


# -- the kernel -------------------------------------------------------------------------------------------------------

# Its shell computes the word: the command line on the console does not look like it.
_AWAITED = b"pyro-probe-42"
_PROGRAM = ("rdinit=/bin/sh", "--", "-c", '"echo pyro-probe-$((6*7))"')


def try_kernel(
    install: QemuInstall, walls: Walls, kernel: Kernel, seconds: float = KERNEL_SECONDS
) -> Verdict:
    """Boot a machine's kernel to user space, on the board that machines have."""
    import tempfile  # 3 ms that every start of pyro would pay for what happens once

    with tempfile.TemporaryDirectory(prefix="pyro-probe-") as scratch:
        memory = empty_memory("probe", _KERNEL_MEM_MIB << 20)
        try:
            with launch(
                _kernel_plan(install, walls, kernel, Path(scratch)), memory, memory_shared=True
            ) as qemu:

                def said() -> bool:
                    qemu.drain_console()
                    return _AWAITED in qemu.console_tail()

                wait_until(said, what="a kernel", timeout=seconds, still_possible=qemu.check_alive)
        except WaitedTooLong:
            detail = f"a kernel did not reach user space in {seconds:g} s"
            return Verdict(False, "crawled", detail, ELSEWHERE)
        except PyroError as error:
            detail = f"a kernel does not boot: {error.brief}"
            return Verdict(False, "boot_failed", detail, ELSEWHERE)
        finally:
            os.close(memory)
    return WORKS


def _kernel_plan(install: QemuInstall, walls: Walls, kernel: Kernel, scratch: Path) -> Launch:
    return Launch(
        name="probe",
        install=install,
        accelerator="kvm",
        cpu=machine_cpu(install, "kvm")[0],
        vcpu_count=1,
        mem_mib=_KERNEL_MEM_MIB,
        kernel=kernel.image,
        initrd=kernel.initrd,
        kernel_arguments=(*boot_arguments(install, "kvm"), *_PROGRAM),
        drives=(),
        walls=walls,
        incoming=False,
        log=scratch / "qemu.log",
    )
