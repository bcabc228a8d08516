"""The probe on this very host: whatever it finds, it finds it in time, once, and leaves nothing."""

import time
from pathlib import Path

from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.host.paths import Paths
from pyro_mcp.qemu.confine import Walls, reachable_level
from pyro_mcp.qemu.installed import find_qemu
from pyro_mcp.qemu.probe import kvm_verdict
from pyro_mcp.qemu.trials import Kernel, Verdict


def probed(place: Path) -> tuple[Verdict, float]:
    kit = EnvironmentStore(Paths.from_environment()).kit()
    install = find_qemu(place)
    level = reachable_level(place)
    began = time.monotonic()
    verdict = kvm_verdict(place, install, Walls(level), lambda: Kernel(kit.kernel, kit.initrd))
    return verdict, time.monotonic() - began


def test_the_verdict_comes_in_ten_seconds_and_then_at_once(tmp_path: Path) -> None:
    first, first_seconds = probed(tmp_path)
    again, again_seconds = probed(tmp_path)
    assert first == again
    assert first_seconds < 10
    assert again_seconds < 0.1
    assert first.works or (first.detail and first.remedy)


def test_nothing_of_the_trials_is_left(tmp_path: Path) -> None:
    probed(tmp_path)
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [command for command in commands if b"pyro-probe" in command]
