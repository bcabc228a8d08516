"""Tell whether KVM can run machines on this host. A device node and CPU flags prove nothing: it is tried.

Three steps: the device answers; a ROM of ours counts to thirty million in 64-bit mode (on a host that crawls, KVM does
300,000 a second, where emulation does a thousand times that); a real kernel reaches user space. The first is asked every
time and costs microseconds, the others once.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from pyro_mcp.host.facts import boot_id, keep, recalled
from pyro_mcp.progress import step
from pyro_mcp.qemu.confine import Walls
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.trials import DEVICE, ELSEWHERE, WORKS, Kernel, Verdict, try_kernel, try_rom

_FILE = "kvm.json"
_FORMAT = 1
# <linux/kvm.h>
_GET_API_VERSION, _CREATE_VM, _API_VERSION = 0xAE00, 0xAE01, 12


def kvm_verdict(
    remember: Path, install: QemuInstall, walls: Walls, find_kernel: Callable[[], Kernel | None]
) -> Verdict:
    """Tell whether machines can run under KVM; what was tried is kept in the directory `remember`.

    A good verdict holds for this kernel, QEMU and processor; a bad one until the next boot of the host. `find_kernel` is
    asked only when something has to be tried; without a kernel the verdict is the ROM's and is not kept when it is good.
    """
    device = look_at_device()
    if not device.works:
        return device
    known = _kept(remember, install)
    verdict = known or _try_and_keep(remember, install, Walls(walls.level), find_kernel)
    return _open_to_machines(walls) if verdict.works else verdict


def forget(remember: Path) -> None:
    """Let the next verdict be found anew: a machine failed under KVM, or somebody has mended the host."""
    (remember / _FILE).unlink(missing_ok=True)


def _identity(install: QemuInstall) -> str:
    return f"{_FORMAT}:{os.uname().release}:{install.binary}:{install.version}:{install.host_cpu}"


def _kept(remember: Path, install: QemuInstall) -> Verdict | None:
    facts = recalled(remember / _FILE, _identity(install))
    if facts is None:
        return None
    boot = facts.pop("boot")
    return Verdict(**facts) if facts["works"] or boot == boot_id() else None


def _keep(remember: Path, install: QemuInstall, verdict: Verdict) -> None:
    keep(remember / _FILE, _identity(install), {**asdict(verdict), "boot": boot_id()})


def _try_and_keep(
    remember: Path, install: QemuInstall, walls: Walls, find_kernel: Callable[[], Kernel | None]
) -> Verdict:
    kernel = None
    with step("trying whether KVM can run a guest"):
        verdict = try_rom(install, walls)
        if verdict.works and (kernel := find_kernel()) is not None:
            verdict = try_kernel(install, walls, kernel)
    if kernel is not None or not verdict.works:
        _keep(remember, install, verdict)
    return verdict


# -- the device -------------------------------------------------------------------------------------------------------


def look_at_device(device: Path = DEVICE) -> Verdict:
    """See that the device is there, may be opened and makes a VM: no guest runs yet."""
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return Verdict(False, "no_device", f"there is no {device}", _missing_remedy())
    except PermissionError:
        who = "sudo usermod -aG kvm $USER, then log in again"
        return Verdict(False, "no_permission", f"{device} may not be opened by uid {os.geteuid()}", who)
    except OSError as error:
        return Verdict(False, "refused", f"{device} does not open: {error.strerror}", ELSEWHERE)
    try:
        version = fcntl.ioctl(descriptor, _GET_API_VERSION, 0)
        if version != _API_VERSION:
            return Verdict(False, "refused", f"{device} speaks version {version}", ELSEWHERE)
        os.close(fcntl.ioctl(descriptor, _CREATE_VM, 0))
    except OSError as error:
        return Verdict(False, "refused", f"{device} makes no VM: {error.strerror}", ELSEWHERE)
    finally:
        os.close(descriptor)
    return WORKS


def _missing_remedy() -> str:
    flags = Path("/proc/cpuinfo").read_text()
    for flag, module in (("vmx", "kvm_intel"), ("svm", "kvm_amd")):
        if f" {flag} " in flags:
            return f"sudo modprobe {module}"
    return f"turn virtualization on in the firmware, or {ELSEWHERE}"


def _open_to_machines(walls: Walls) -> Verdict:
    """Root's machines have uids of their own: the device's group, or everybody, has to be let in."""
    status = DEVICE.stat()
    by_group = bool(status.st_gid) and status.st_mode & 0o060 == 0o060
    if os.geteuid() != 0 or walls.level == "none" or by_group or status.st_mode & 0o006 == 0o006:
        return WORKS
    detail = f"KVM works, and {DEVICE} is for root alone, while machines run under uids of their own"
    return Verdict(False, "no_permission", detail, f"sudo chgrp kvm {DEVICE} && sudo chmod 660 {DEVICE}")
