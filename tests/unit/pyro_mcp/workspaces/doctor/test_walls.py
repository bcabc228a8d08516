"""What is told of KVM, namespaces and confinement."""

from pathlib import Path

import pytest

from pyro_mcp.qemu.trials import WORKS, Verdict
from pyro_mcp.workspaces.doctor import walls
from pyro_mcp.workspaces.doctor.walls import check_confinement, check_kvm, check_user_namespaces


def test_working_kvm_passes() -> None:
    assert check_kvm(WORKS).health == "pass"


def test_kvm_that_runs_no_guest_is_told_from_kvm_that_is_not_there() -> None:
    broken = check_kvm(Verdict(False, "aborted", "signal 6", "elsewhere"))
    assert broken.fact.startswith("present but cannot run a guest: aborted; machines are emulated")
    missing = check_kvm(Verdict(False, "no_device", "there is no /dev/kvm", "sudo modprobe kvm_amd"))
    assert missing.fact.startswith("there is no /dev/kvm")
    assert {broken.health, missing.health} == {"warn"}
    assert missing.remedy == "sudo modprobe kvm_amd"


@pytest.mark.parametrize("level", ["partial", "none"])
def test_emulated_without_full_confinement_warns_loudly(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walls, "try_level", lambda _: "no user namespaces")
    emulated = check_confinement(level, emulated=True)  # type: ignore[arg-type]
    hardware = check_confinement(level, emulated=False)  # type: ignore[arg-type]
    assert emulated.fact.startswith("DANGER")
    assert "DANGER" not in hardware.fact
    assert {emulated.health, hardware.health} == {"warn"}
    assert "no user namespaces" in emulated.fact


def test_the_switch_that_forbids_namespaces_is_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = tmp_path / "max_user_namespaces"
    switch.write_text("0\n")
    monkeypatch.setattr(walls, "_SWITCHES", {str(switch): ("0", "sudo sysctl it")})
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho 'No space left on device' >&2; exit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    check = check_user_namespaces()
    assert (check.health, check.remedy) == ("warn", "sudo sysctl it")
    assert "No space left" in check.fact
