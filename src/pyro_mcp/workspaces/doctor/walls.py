"""What a machine of this host is shut in by: KVM or emulation, namespaces, and the confinement reached."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pyro_mcp.models.doctor import Check
from pyro_mcp.qemu.confine import Level, try_level
from pyro_mcp.qemu.trials import Verdict

# The switches that forbid user namespaces, what they are when they do, and how to turn them.
_SWITCHES: Mapping[str, tuple[str, str]] = {
    "/proc/sys/user/max_user_namespaces": ("0", "sudo sysctl user.max_user_namespaces=15000"),
    "/proc/sys/kernel/unprivileged_userns_clone": ("0", "sudo sysctl kernel.unprivileged_userns_clone=1"),
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
}
_IN_A_CONTAINER = (
    "in a container: start it with user namespaces allowed (docker: --security-opt seccomp=unconfined)"
)


def check_kvm(verdict: Verdict) -> Check:
    """Tell whether machines run under KVM. Emulation is slower, not broken."""
    if verdict.works:
        return Check(name="kvm", health="pass", fact="a guest ran: machines have hardware isolation")
    present = verdict.reason not in ("no_device", "no_permission")
    brief = f"present but cannot run a guest: {verdict.reason}" if present else verdict.detail
    fact = f"{brief}; machines are emulated: the same, about 14 times slower at computing"
    if present:
        fact = f"{fact}\n{verdict.detail}"
    return Check(name="kvm", health="warn", fact=fact, remedy=verdict.remedy)


def check_user_namespaces() -> Check:
    """Try to make one: that says more than any switch."""
    if shutil.which("unshare") is None:
        return Check(name="user namespaces", health="warn", fact="not tried: there is no unshare")
    trial = ["unshare", "--user", "--map-root-user", "true"]
    done = subprocess.run(trial, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode == 0:
        return Check(name="user namespaces", health="pass", fact="allowed")
    fact = f"not allowed: {done.stderr.strip() or 'unshare failed'}"
    return Check(name="user namespaces", health="warn", fact=fact, remedy=_namespace_remedy())


def _namespace_remedy() -> str:
    for switch, (forbidding, remedy) in _SWITCHES.items():
        if Path(switch).exists() and Path(switch).read_text().strip() == forbidding:
            return remedy
    return _IN_A_CONTAINER


def check_confinement(level: Level, *, emulated: bool) -> Check:
    """Tell how QEMU is shut in; emulated, that is the wall that counts."""
    if level == "full":
        return Check(name="confinement", health="pass", fact="full: what takes QEMU over finds nothing")
    obstacle = try_level("full") or "it stands now: run this again"
    fact = f"{level}; full does not stand: {obstacle}"
    if emulated:
        fact = f"DANGER: emulated and not fully confined: do not run what you do not trust. {fact}"
    remedy = (
        "mend bwrap and user namespaces above, or pass --require-confinement full to refuse such machines"
    )
    return Check(name="confinement", health="warn", fact=fact, remedy=remedy)
