"""What a QEMU that its guest has taken over can reach: nothing. The player plays it; here is what it must report."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from pyro_mcp.qemu.confine import Level, try_level

ROOT = Path(__file__).parents[2]
NOBODY = 65534
# The system's Python, for another user cannot enter a home directory where ours may lie. What the player's host part needs
# is the standard library alone.
PYTHON = "/usr/bin/python3"


def played(level: Level, *, as_nobody: bool) -> Mapping[str, Mapping[str, str]]:
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if as_nobody else []
    done = subprocess.run(
        [*other, PYTHON, "-B", "-m", "tests.vm.taken_over", level],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "src", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: Mapping[str, Mapping[str, str]] = json.loads(done.stdout)
    return report


def nobody_can_read() -> bool:
    """A checkout in a closed home directory is out of another user's reach."""
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (ROOT, *ROOT.parents))


@pytest.fixture(params=("full", "partial"))
def level(request: pytest.FixtureRequest) -> Level:
    wanted: Level = request.param
    if (obstacle := try_level(wanted)) is not None:
        pytest.skip(f"no {wanted} confinement on this host: {obstacle}")
    return wanted


@pytest.fixture(params=("this user", "nobody"))
def report(level: Level, request: pytest.FixtureRequest) -> Mapping[str, Mapping[str, str]]:
    as_nobody = request.param == "nobody"
    if as_nobody and (os.geteuid() != 0 or not nobody_can_read()):
        pytest.skip("only root can become another user, and only where that one can read the checkout")
    return played(level, as_nobody=as_nobody)


def test_a_taken_over_qemu_gets_nowhere(report: Mapping[str, Mapping[str, str]]) -> None:
    assert len(report["tries"]) > 40
    holes = {name: outcome for name, outcome in report["tries"].items() if not outcome.startswith("denied: ")}
    assert holes == {}
    assert "denied: nothing to try" not in report["tries"].values()


def test_it_holds_its_own_files_and_sockets_and_nothing_else(
    report: Mapping[str, Mapping[str, str]],
) -> None:
    names = sorted(path.rpartition("/")[2] for path in report["held"].values())
    sockets = [name for name in names if name.startswith("socket:")]
    assert len(sockets) == 2  # console and agent; the player has wrapped and closed the monitor's
    named = [name for name in names if not name.startswith("socket:")]
    assert named == [
        "initrd",
        "kernel",
        "log",
        "log",
        "memfd:pyro-player (deleted)",
        "null",
        "own-disk",
        "shared",
    ]
