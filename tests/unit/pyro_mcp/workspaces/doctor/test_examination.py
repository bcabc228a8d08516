"""All facts together."""

from pathlib import Path

import pytest

from pyro_mcp.host.paths import Paths
from pyro_mcp.qemu.trials import Verdict
from pyro_mcp.workspaces.doctor import examination, forget_what_is_known
from pyro_mcp.workspaces.doctor.examination import examine


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(*(tmp_path / name for name in ("cache", "state", "runtime", "config")))


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host where KVM is broken and the walls stand; nothing is started."""
    broken = Verdict(False, "crawled", "slow", "elsewhere")
    monkeypatch.setattr(examination, "kvm_verdict", lambda *_: broken)
    monkeypatch.setattr(examination, "reachable_level", lambda _: "full")


def test_each_fact_stands_once_and_a_warning_is_no_failure(paths: Paths) -> None:
    found = examine(paths)
    names = [check.name for check in found.checks]
    assert len(set(names)) == len(names)
    assert {"host", "qemu", "confinement", "memory", "cache", "environments", "guest kit"} <= set(names)
    assert found.fit == all(check.health != "fail" for check in found.checks)
    assert (found.isolation, found.confinement) == ("emulated", "full")


def test_what_is_missing_is_gathered(paths: Paths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = examine(paths)
    assert not found.fit
    assert {"qemu-system-x86", "bubblewrap"} <= set(found.missing_packages)


def test_forgetting_lets_everything_be_tried_anew(paths: Paths) -> None:
    remember = paths.cache / "host"
    remember.mkdir(parents=True)
    for name in ("kvm.json", "walls.json", "qemu.json"):
        (remember / name).touch()
    forget_what_is_known(paths)
    assert [path.name for path in remember.iterdir()] == ["qemu.json"]
