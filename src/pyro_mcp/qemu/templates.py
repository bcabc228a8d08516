"""Freeze a booted machine once, so that every later start is a restore.

A template is a directory: `memory` (guest RAM, sparse), `state` (QEMU's devices), `disk` (the layer that the frozen
guest may have mounted) and `about.json` (what makes it valid).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pyro_mcp.errors import GuestFailed, LimitReached
from pyro_mcp.host.locks import exclusive, exclusive_if_free
from pyro_mcp.host.processes import end_holders
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.host.writing import sync_file, write_whole
from pyro_mcp.progress import step
from pyro_mcp.qemu.command import Accelerator
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.launch import Launch, LayerFile
from pyro_mcp.qemu.memory import empty_memory, save_memory
from pyro_mcp.qemu.process import Qemu, launch, telling_death
from pyro_mcp.qemu.qmp import Value

# A cold boot takes 3 to 6 s emulated on an idle host; a busy one has been seen to take ten times that.
BOOT_SECONDS = 90.0
_NOT_UP = f"the machine did not come up in {BOOT_SECONDS:.0f} s"
_SAVE_SECONDS = 30.0
_UNFINISHED = ".new"
_FORMAT = 2
# `Ready` waits until the guest's agent answers on the given socket; its second argument raises once QEMU is dead.
Ready = Callable[[socket.socket, Callable[[], None]], object]
# `Plan` says what to boot, given the path at which it has to make the written layer of the machine's disk.
Plan = Callable[[Path], Launch]


@dataclass(frozen=True, slots=True)
class TemplateKey:
    """Everything a frozen machine depends on, and nothing else."""

    environment: str
    kit: str
    qemu: str
    accelerator: Accelerator
    cpu: str
    host_cpu: str
    kernel_arguments: tuple[str, ...]
    vcpu_count: int
    mem_mib: int
    disk_mib: int
    # Frozen with an empty disk mounted, for new workspaces; otherwise before it has any.
    fresh: bool
    format: int = _FORMAT

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Template:
    """A frozen machine, ready to be restored any number of times.

    `freeze` is this very freeze's own: one that is made anew for the same key has other memory, and other state to go with it.
    """

    freeze: str
    memory: Path
    state: Path
    disk: LayerFile
    notes: Path


class TemplateStore:
    """The frozen machines of this host, by key."""

    def __init__(self, cache: Path, runtime: Path) -> None:
        self._cache = cache
        self._runtime = runtime

    def ensure(self, key: TemplateKey, plan: Plan, ready: Ready) -> Template:
        """Give the template of `key`; boot what `plan` says and freeze it when there is none that is whole."""
        self._sweep()
        found = self.find(key)
        if found is not None:
            return found
        with exclusive(self._cache / f"{key.digest}.lock", what="another pyro to freeze this machine"):
            return self.find(key) or self._build(key, plan, ready)

    def find(self, key: TemplateKey) -> Template | None:
        """Give the template of `key` if it is there and whole."""
        directory = self._cache / key.digest
        try:
            about = json.loads((directory / "about.json").read_text())
            freeze = str(about["freeze"])
            if about["files"] != _files(directory):
                return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        disk = LayerFile(directory / "disk", "qcow2")
        return Template(freeze, directory / "memory", directory / "state", disk, self._runtime / freeze)

    def discard(self, template: Template) -> None:
        """Remove a template that does not restore; the next start makes it anew."""
        shutil.rmtree(template.memory.parent, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed freezes left half-made, of any key. Costs a listing when there is nothing."""
        for leftover in self._cache.glob(f"*{_UNFINISHED}"):
            with suppress(OSError), exclusive_if_free(leftover.with_suffix(".lock")) as free:
                if free:
                    end_holders(leftover.resolve())
                    shutil.rmtree(leftover)

    def _build(self, key: TemplateKey, plan: Plan, ready: Ready) -> Template:
        final = self._cache / key.digest
        unfinished = self._cache / f"{key.digest}{_UNFINISHED}"
        for leftover in (unfinished, final):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            unfinished.mkdir(parents=True)
            retries = _freeze_with_retry(key, plan, ready, unfinished)
            _write_about(unfinished, key, retries)
            unfinished.rename(final)
        except OSError as error:
            raise LimitReached("a template cannot be written", details=str(error)) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        found = self.find(key)
        if found is None:
            raise GuestFailed("a template was written and is not whole", details=str(final))
        return found


def _freeze_with_retry(key: TemplateKey, plan: Plan, ready: Ready, directory: Path) -> list[str]:
    """Boot and freeze; a boot that hangs is tried once more, and that is recorded."""
    with step(f"freezing a {key.mem_mib} MiB machine") as progress:
        try:
            _freeze(key, plan, ready, directory)
            return []
        except GuestFailed as error:
            progress.note(f"the first boot failed, once more: {error.brief}")
            for name in ("memory", "state", "disk"):
                (directory / name).unlink(missing_ok=True)
            _freeze(key, plan, ready, directory)
            return [str(error)]


def _freeze(key: TemplateKey, plan: Plan, ready: Ready, directory: Path) -> None:
    memory = empty_memory(key.digest, key.mem_mib << 20)
    disk = directory / "disk"
    try:
        booted = replace(plan(disk), log=directory / "qemu.log")
        with launch(booted, memory, memory_shared=True) as qemu:
            ready(qemu.agent, qemu.watch(BOOT_SECONDS, _NOT_UP))
            with telling_death(qemu, "the booted machine could not be frozen"):
                _save_state(qemu, directory / "state")
        save_memory(memory, directory / "memory")
        _settle(disk)
    finally:
        os.close(memory)


def _settle(disk: Path) -> None:
    """Nobody writes this layer again: it lies below the disks of all machines of the template."""
    sync_file(disk)
    disk.chmod(0o444)


def _save_state(qemu: Qemu, path: Path) -> None:
    deadline = time.monotonic() + _SAVE_SECONDS
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        qemu.monitor.execute("stop", deadline=deadline)
        leave_memory_out(qemu, deadline)
        qemu.monitor.execute("getfd", deadline=deadline, descriptor=descriptor, fdname="state")
        qemu.monitor.execute("migrate", deadline=deadline, uri="fd:state")
        wait_until(
            lambda: qemu.monitor.migrated(deadline),
            what="QEMU to save its state",
            timeout=_SAVE_SECONDS,
            still_possible=qemu.check_alive,
        )
        os.fsync(descriptor)
        os.fchmod(descriptor, 0o400)  # every machine's QEMU is handed this file; see opening._forbid_writing
    finally:
        os.close(descriptor)


def leave_memory_out(qemu: Qemu, deadline: float) -> None:
    """Tell QEMU that guest memory is shared with us and no part of the state it saves or loads."""
    capability: Value = {"capability": "x-ignore-shared", "state": True}
    qemu.monitor.execute("migrate-set-capabilities", deadline=deadline, capabilities=[capability])


def _write_about(directory: Path, key: TemplateKey, retries: list[str]) -> None:
    about = {
        "key": asdict(key),
        "freeze": os.urandom(16).hex(),
        "files": _files(directory),
        "retries": retries,
    }
    write_whole(directory / "about.json", json.dumps(about, indent=1).encode())


def _files(directory: Path) -> dict[str, object]:
    """Describe what a template consists of, so that it is noticed when something of it is cut or exchanged."""
    return {
        "state_sha256": hashlib.sha256((directory / "state").read_bytes()).hexdigest(),
        "memory": _fingerprint(directory / "memory"),
        "disk": _fingerprint(directory / "disk"),
    }


def _fingerprint(path: Path) -> list[int]:
    """What changes when a file is cut or written: reading a gigabyte at every start would cost more than the restore."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_blocks, status.st_ino]


def machine_cpu(install: QemuInstall, accelerator: Accelerator) -> tuple[str, str]:
    """Give the CPU model for a machine and what of the host it depends on."""
    if accelerator == "kvm":
        return "host", install.host_cpu
    # Five-level page tables make every miss of an emulated TLB one step dearer. With `erms` the kernel copies and clears
    # pages by `rep movsb`, which is emulated byte by byte: without it, programs start in half the time.
    return "max,la57=off,erms=off", ""


def boot_arguments(install: QemuInstall, accelerator: Accelerator) -> tuple[str, ...]:
    """Give the kernel's arguments for a machine under this accelerator."""
    quick = (
        "quiet",
        "panic=-1",
        "reboot=t",
        "mitigations=off",
        "nokaslr",
        "audit=0",
        "rcupdate.rcu_expedited=1",
    )
    # On a busy host the kernel would find the emulated TSC unstable and fall back on jiffies: a clock of 4 ms for good.
    clock = (f"tsc_early_khz={install.tsc_khz}", "tsc=reliable") if accelerator == "tcg" else ()
    return ("console=ttyS0", *quick, "pci=off", "cgroup_no_v1=all", "8250.nr_uarts=1", *clock)
