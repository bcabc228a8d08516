"""Launching, with a shell script in QEMU's place."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pyro_mcp.errors import GuestFailed, HostUnfit
from pyro_mcp.qemu.confine import Walls
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.launch import DriveFiles, Launch, LayerFile
from pyro_mcp.qemu.memory import empty_memory
from pyro_mcp.qemu.process import Qemu, launch

MIB = 1 << 20


@pytest.fixture
def plan(tmp_path: Path) -> Launch:
    for name in ("kernel", "initrd", "image", "own"):
        (tmp_path / name).write_bytes(bytes(512))
        (tmp_path / name).chmod(0o644)
    drives = (
        DriveFiles("image", (LayerFile(tmp_path / "image"),)),
        DriveFiles("disk", (LayerFile(tmp_path / "own"),), writable=True),
    )
    return Launch(
        name="test",
        install=QemuInstall(str(tmp_path / "qemu"), "", (), (), 0, ""),
        accelerator="tcg",
        cpu="max",
        vcpu_count=1,
        mem_mib=64,
        kernel=tmp_path / "kernel",
        initrd=tmp_path / "initrd",
        kernel_arguments=(),
        drives=drives,
        walls=Walls("none"),
        incoming=False,
        log=tmp_path / "log",
    )


def launched(plan: Launch, script: str) -> Qemu:
    binary = Path(plan.install.binary)
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)
    memory = empty_memory("test", MIB)
    try:
        return launch(plan, memory, memory_shared=True)
    finally:
        os.close(memory)


def test_a_death_tells_the_status_and_the_last_words_and_the_log_the_command(plan: Launch) -> None:
    with pytest.raises(GuestFailed, match=r"exit 3") as raised:
        launched(plan, "echo out of luck >&2; exit 3")
    assert "out of luck" in (raised.value.details or "")
    assert "-M microvm" not in (raised.value.details or "")
    assert "-M microvm" in plan.log.read_text()


def test_what_is_handed_over_for_reading_loses_its_write_permission(plan: Launch, tmp_path: Path) -> None:
    with pytest.raises(GuestFailed):
        launched(plan, "exit 0")
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("kernel", "initrd", "image", "own")}
    assert modes == {"kernel": 0o444, "initrd": 0o444, "image": 0o444, "own": 0o644}


@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_a_disk_may_grow_to_its_size_and_an_eighth(plan: Launch, tmp_path: Path, form: str) -> None:
    own = tmp_path / "own"
    if form == "raw":
        os.truncate(own, 800 * MIB)
    else:  # its size stands in the header
        own.write_bytes(b"QFI\xfb".ljust(24, b"\0") + (800 * MIB).to_bytes(8))
    layer = LayerFile(own, form)  # type: ignore[arg-type]
    with pytest.raises(GuestFailed):
        launched(replace(plan, drives=(DriveFiles("disk", (layer,), writable=True),)), "exit 0")
    assert f"--fsize={900 * MIB + 64 * MIB}" in plan.log.read_text()


def test_a_missing_file_of_the_machine_is_named(plan: Launch, tmp_path: Path) -> None:
    (tmp_path / "initrd").unlink()
    with pytest.raises(HostUnfit, match="initrd"):
        launched(plan, "exit 0")
