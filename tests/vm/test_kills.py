"""kill -9 of pyro, its keeper or its QEMU at seeded random moments of a run: the next command finds nothing left, and works."""

import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.ladder import DEBIAN, PyroProgram
from tests.remains import Process, keeper_of, processes_of, qemu_of, remains

from pyro_mcp.host.waiting import wait_until

# A warm run takes 0.7 s; the command lasts until it is killed.
_LATEST_SECONDS = 1.2
_ENDLESS = "echo started; sync; while :; do echo more >> /tmp/file; done"
_SEED = 20261122
_ROUNDS = 3
Find = Callable[[Path], Process | None]


def _moments(victim: str) -> list[float]:
    """The same for everybody who runs this, and others for each victim."""
    chance = random.Random(f"{_SEED} {victim}")
    return [round(chance.uniform(0.05, _LATEST_SECONDS), 3) for _ in range(_ROUNDS)]


def _run_until(moment: float, pyro: PyroProgram) -> "subprocess.Popen[bytes]":
    process = pyro.start("run", DEBIAN, "--", "sh", "-c", _ENDLESS)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(moment)
    return process


def _the_next_command_finds_nothing(pyro: PyroProgram, home: Path) -> None:
    done = pyro("run", "-q", DEBIAN, "--", "echo", "well")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"well\n", b"")
    assert not remains(home)


@pytest.mark.parametrize("moment", _moments("pyro"))
def test_pyro_is_killed(pyro: PyroProgram, home: Path, moment: float) -> None:
    with _run_until(moment, pyro) as process:
        process.kill()
        process.communicate()
    wait_until(lambda: not processes_of(home), what="the machine to end with pyro", timeout=10)
    _the_next_command_finds_nothing(pyro, home)


@pytest.mark.parametrize(
    ("find", "moment"),
    [
        *((keeper_of, moment) for moment in _moments("keeper")),
        *((qemu_of, moment) for moment in _moments("qemu")),
    ],
)
def test_what_holds_the_machine_is_killed(pyro: PyroProgram, home: Path, find: Find, moment: float) -> None:
    """pyro learns of it at once, and says that it was no failure of the command's."""
    with _run_until(moment, pyro) as process:
        victim = wait_until(lambda: find(home), what="the process to kill", timeout=10)
        os.kill(victim.pid, signal.SIGKILL)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 125
    assert b"\nerror: " in b"\n" + said
    assert b"Traceback" not in said
    _the_next_command_finds_nothing(pyro, home)


def test_keeper_and_pyro_are_killed_at_once(pyro: PyroProgram, home: Path) -> None:
    """Nobody is left who could clean up; QEMU dies with its keeper, the next command does the rest."""
    with _run_until(0.9, pyro) as process:
        keeper = wait_until(lambda: keeper_of(home), what="the keeper", timeout=10)
        process.send_signal(signal.SIGSTOP)
        os.kill(keeper.pid, signal.SIGKILL)
        process.kill()
        process.communicate()
    _the_next_command_finds_nothing(pyro, home)
