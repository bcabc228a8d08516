"""The probe against programs that abort, hang and crawl in QEMU's place."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pyro_mcp.qemu import probe_rom, trials
from pyro_mcp.qemu.confine import Walls
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.trials import Kernel, Verdict, try_kernel, try_rom

SOURCE = Path(probe_rom.__file__).with_name("probe_rom.S")
BARE = Walls("none")
ABORTS = "echo 'Assertion failed' >&2; kill -ABRT $$"
HANGS = "exec sleep 100"
CRAWLS = "printf s; exec sleep 100"


def played_by(script: str, place: Path) -> QemuInstall:
    """Give a QEMU that is a shell script."""
    binary = place / "qemu"
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    return QemuInstall(str(binary), "7.2", (), (), 0, "")


def rom_tried(script: str, place: Path) -> Verdict:
    began = time.monotonic()
    verdict = try_rom(played_by(script, place), BARE, seconds=0.3)
    assert time.monotonic() - began < 3
    return verdict


def test_a_guest_that_counts_to_the_end_works(tmp_path: Path) -> None:
    assert rom_tried("printf s; printf k; exec sleep 100", tmp_path).works


@pytest.mark.parametrize(
    ("script", "reason", "said"),
    [
        (ABORTS, "aborted", "signal 6: Assertion failed"),
        ("exit 134", "aborted", "signal 6"),  # as bubblewrap tells of a signal
        ("echo 'no KVM' >&2; exit 1", "refused", "status 1: no KVM"),
        ("exit 0", "aborted", "status 0: it said nothing"),
        (HANGS, "hung", "no guest ran"),
        ("exec sleep 100 >&- 2>&-", "hung", "no guest ran"),
        (CRAWLS, "crawled", "was not done"),
        ("printf s; exec yes", "crawled", "was not done"),
    ],
)
def test_each_failure_has_its_reason_and_a_remedy(
    script: str, reason: str, said: str, tmp_path: Path
) -> None:
    verdict = rom_tried(script, tmp_path)
    assert (verdict.works, verdict.reason) == (False, reason)
    assert said in verdict.detail
    assert verdict.remedy


def test_a_qemu_that_is_not_there_is_refused(tmp_path: Path) -> None:
    verdict = try_rom(QemuInstall(str(tmp_path / "none"), "", (), (), 0, ""), BARE, seconds=5)
    assert (verdict.works, verdict.reason) == (False, "refused")


def kernel_tried(script: str, place: Path) -> Verdict:
    for name in ("vmlinuz", "initrd"):
        (place / name).touch()
    kernel = Kernel(place / "vmlinuz", place / "initrd")
    return try_kernel(played_by(script, place), BARE, kernel, seconds=0.3)


# A QEMU whose monitor answers, in Python: a shell cannot name descriptors above nine.
GREETS = """exec python3 -IS - "$@" <<'END'
import os, signal, sys
named = {item.split(",")[1]: int(item.split("fd=")[1]) for item in sys.argv if item.startswith("socket,id=")}
monitor, console = named["id=monitor"], named["id=console"]
os.write(monitor, b'{"QMP": {}}\\n{"return": {}}\\n')
%s
END
"""


def test_a_kernel_that_reaches_user_space_works(tmp_path: Path) -> None:
    says = 'os.write(console, b"pyro-probe-42"); signal.pause()'
    assert kernel_tried(GREETS % says, tmp_path) == trials.WORKS


@pytest.mark.parametrize(
    ("script", "reason"),
    [(ABORTS, "boot_failed"), (GREETS % "os.abort()", "boot_failed"), (GREETS % "signal.pause()", "crawled")],
)
def test_a_kernel_that_does_not_is_told_why(script: str, reason: str, tmp_path: Path) -> None:
    verdict = kernel_tried(script, tmp_path)
    assert (verdict.works, verdict.reason) == (False, reason)


@pytest.mark.skipif(not (shutil.which("as") and shutil.which("ld")), reason="no assembler on this host")
def test_the_machine_code_is_what_its_source_says(tmp_path: Path) -> None:
    subprocess.run(["as", str(SOURCE), "-o", tmp_path / "rom.o"], check=True)
    linking = ["ld", "-Ttext=0xF0000", "--oformat", "binary", "-o", "rom.bin", "rom.o"]
    subprocess.run(linking, check=True, cwd=tmp_path)
    assert (tmp_path / "rom.bin").read_bytes() == probe_rom.image()
