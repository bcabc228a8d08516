"""The verdict: what is asked every time, what is kept, and for how long."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyro_mcp.qemu import probe
from pyro_mcp.qemu.confine import Walls
from pyro_mcp.qemu.installed import QemuInstall
from pyro_mcp.qemu.probe import forget, kvm_verdict, look_at_device
from pyro_mcp.qemu.trials import WORKS, Kernel, Verdict

INSTALL = QemuInstall("/usr/bin/qemu", "version 7.2", (), (), 0, "flags")
BAD = Verdict(False, "crawled", "slow", "elsewhere")
KERNEL = Kernel(Path("vmlinuz"), Path("initrd"))


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Make a host whose trials end as told; returns the list of those that were made."""
    made: list[str] = []

    def noted(name: str, verdict: Verdict) -> Verdict:
        made.append(name)
        return verdict

    def become(rom: Verdict, kernel: Verdict = WORKS) -> list[str]:
        monkeypatch.setattr(probe, "look_at_device", lambda: WORKS)
        monkeypatch.setattr(probe, "_open_to_machines", lambda _: WORKS)
        monkeypatch.setattr(probe, "try_rom", lambda *_: noted("rom", rom))
        monkeypatch.setattr(probe, "try_kernel", lambda *_: noted("kernel", kernel))
        return made

    return become


def verdict(place: Path, install: QemuInstall = INSTALL, kernel: Kernel | None = KERNEL) -> Verdict:
    return kvm_verdict(place, install, Walls("full"), lambda: kernel)


def test_a_good_verdict_needs_both_guests_and_is_found_once(
    host: Callable[..., list[str]], tmp_path: Path
) -> None:
    made = host(WORKS)
    assert [verdict(tmp_path), verdict(tmp_path)] == [WORKS, WORKS]
    assert made == ["rom", "kernel"]


def test_a_rom_that_fails_is_the_last_word(host: Callable[..., list[str]], tmp_path: Path) -> None:
    made = host(BAD)
    assert [verdict(tmp_path), verdict(tmp_path)] == [BAD, BAD]
    assert made == ["rom"]


def test_without_a_kernel_a_good_verdict_is_not_kept(host: Callable[..., list[str]], tmp_path: Path) -> None:
    made = host(WORKS, BAD)
    assert verdict(tmp_path, kernel=None) == WORKS
    assert verdict(tmp_path) == BAD
    assert made == ["rom", "rom", "kernel"]


def test_another_qemu_or_processor_is_tried_anew(host: Callable[..., list[str]], tmp_path: Path) -> None:
    made = host(BAD)
    for version, cpu in (("7.2", "a"), ("8.2", "a"), ("8.2", "b"), ("8.2", "b")):
        verdict(tmp_path, QemuInstall("/usr/bin/qemu", version, (), (), 0, cpu))
    assert made == ["rom"] * 3


@pytest.mark.parametrize(("first", "again"), [(BAD, True), (WORKS, False)])
def test_only_a_bad_verdict_ends_with_the_boot(
    first: Verdict,
    again: bool,
    host: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = host(first)
    verdict(tmp_path)
    before = len(made)
    monkeypatch.setattr(probe, "boot_id", lambda: "another boot")
    verdict(tmp_path)
    assert (len(made) > before) is again


def test_what_is_forgotten_is_tried_anew(host: Callable[..., list[str]], tmp_path: Path) -> None:
    made = host(BAD)
    verdict(tmp_path)
    forget(tmp_path)
    verdict(tmp_path)
    assert made == ["rom", "rom"]


def test_a_missing_device_costs_no_trial(
    host: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = host(WORKS)
    monkeypatch.setattr(probe, "look_at_device", lambda: look_at_device(tmp_path / "kvm"))
    found = verdict(tmp_path)
    assert (found.works, found.reason, made) == (False, "no_device", [])
    assert found.remedy


def test_a_device_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kvm").touch()
    assert look_at_device(tmp_path / "kvm").reason == "refused"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open anything")
def test_a_closed_device_is_told_from_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "kvm").touch(mode=0)
    assert look_at_device(tmp_path / "kvm").reason == "no_permission"
