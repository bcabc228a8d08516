"""Copy a disk of many layers into one file, inside the walls: what reads a layer is a QEMU that can open nothing else.

A layer was written by a QEMU that its guest may have taken over, so its header may name any file of the host. qemu-img would
open that; here every layer is a descriptor and its backing is told, and QEMU boots nothing.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

from pyro_mcp.errors import GuestFailed
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.progress import step
from pyro_mcp.qemu.launch import Launch
from pyro_mcp.qemu.memory import empty_memory
from pyro_mcp.qemu.process import Qemu, launch
from pyro_mcp.qemu.qmp import Value

_QMP_SECONDS = 30.0
# A disk of some gigabytes on a slow host; the caller can end it.
_COPY_SECONDS = 3600.0
# Paused before its first instruction, so that this much is never used.
_MEMORY_MIB = 64
_TARGET_FDSET = 100_000


def flatten(plan: Launch, target: int, size: int) -> None:
    """Write the drive `disk` of `plan`, `size` bytes, into the open file `target`, an empty qcow2 image."""
    memory = empty_memory(plan.name, _MEMORY_MIB << 20)
    try:
        # Not by -incoming: until a state is loaded, QEMU holds its disks as if they were read-only.
        idle = replace(plan, mem_mib=_MEMORY_MIB, vcpu_count=1, incoming=False, paused=True)
        with launch(idle, memory, memory_shared=False, file_bytes=size * 9 // 8) as qemu:
            _copy(qemu, target)
    finally:
        os.close(memory)
    os.fsync(target)


def _copy(qemu: Qemu, target: int) -> None:
    deadline = time.monotonic() + _QMP_SECONDS
    monitor = qemu.monitor
    monitor.execute("add-fd", deadline=deadline, descriptor=target, fdset_id=_TARGET_FDSET)
    file: dict[str, Value] = {"driver": "file", "filename": f"/dev/fdset/{_TARGET_FDSET}", "discard": "unmap"}
    monitor.execute(
        "blockdev-add",
        deadline=deadline,
        driver="qcow2",
        node_name="target",
        file=file,
        discard="unmap",
        detect_zeroes="unmap",
    )
    monitor.execute(
        "blockdev-backup",
        deadline=deadline,
        job_id="copy",
        device="disk",
        target="target",
        sync="full",
        auto_dismiss=False,
    )
    with step("copying the disk"):
        wait_until(
            lambda: _concluded(qemu),
            what="QEMU to copy the disk",
            timeout=_COPY_SECONDS,
            still_possible=qemu.check_alive,
        )
    monitor.execute("blockdev-del", deadline=time.monotonic() + _QMP_SECONDS, node_name="target")


def _concluded(qemu: Qemu) -> bool:
    jobs = qemu.monitor.execute("query-jobs", deadline=time.monotonic() + _QMP_SECONDS)
    job = jobs[0] if isinstance(jobs, list) and jobs else None
    if not isinstance(job, dict) or job.get("status") != "concluded":
        return False
    if "error" in job:
        raise GuestFailed("QEMU could not copy the disk", details=str(job["error"]))
    qemu.monitor.execute("job-dismiss", deadline=time.monotonic() + _QMP_SECONDS, id="copy")
    return True
