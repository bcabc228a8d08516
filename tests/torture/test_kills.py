"""kill -9 at many moments of a pull, of a template's freezing and of a run: the next command finds nothing left, and works."""

import os
import random
import signal
import subprocess
from pathlib import Path

import pytest
from tests.ladder import DEBIAN, TINY, PyroProgram
from tests.remains import Process, keeper_of, processes_of, qemu_of, remains
from tests.torture.settings import ROUNDS, chance

from pyro_mcp.host.waiting import wait_until

_ENDLESS = "sync; while :; do echo more >> /tmp/file; done"
_RECIPE = """
name = "n{number}"
base = "none"
[[files]]
path = "/bin/sh"
source = "kit:busybox"
mode = "0755"
[[files]]
path = "/number"
content = "{number}"
"""


def _killed(pyro: PyroProgram, home: Path, victim: str, seconds: float, *arguments: str) -> None:
    """Start pyro, kill the victim when the time has come (pyro itself where there is no other yet), and wait for the end."""
    with pyro.start(*arguments) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(seconds)
        found = {"keeper": keeper_of, "qemu": qemu_of}.get(victim, lambda _: None)(home)
        if found is None:
            process.kill()
        else:
            os.kill(found.pid, signal.SIGKILL)
        try:
            _, said = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            pytest.fail(
                f"{victim} was killed, and this goes on:\n" + "\n".join(map(_state_of, processes_of(home)))
            )
    assert b"Traceback" not in said
    wait_until(lambda: not processes_of(home), what="everything to end", timeout=15)


def _state_of(process: Process) -> str:
    """What a process waits for, by the kernel's word."""
    place = Path(f"/proc/{process.pid}")
    facts = [(place / name).read_text() for name in ("wchan", "stack", "status") if (place / name).exists()]
    return f"{process.pid} {' '.join(process.command)[:120]}\n" + "\n".join(facts)


def _works(pyro: PyroProgram, home: Path, *arguments: str) -> None:
    done = pyro(*arguments, timeout=170)
    assert done.returncode == 0, done.stderr
    assert not remains(home)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_run(pyro: PyroProgram, home: Path, number: int) -> None:
    dice = chance("run", number)
    victim = dice.choice(["pyro", "keeper", "qemu"])
    _killed(pyro, home, victim, dice.uniform(0.02, 1.2), "run", DEBIAN, "--", "sh", "-c", _ENDLESS)
    _works(pyro, home, "run", "-q", DEBIAN, "--", "true")


@pytest.mark.timeout(60 + 10 * ROUNDS)
def test_pulls(pyro: PyroProgram, cold_home: Path) -> None:
    for number in range(ROUNDS):
        recipe = cold_home / f"config/environments/n{number}.toml"
        recipe.write_text(_RECIPE.format(number=number))
        _pull_killed(pyro, cold_home, f"n{number}", chance("pull", number))
        _works(pyro, cold_home, "env", "pull", f"n{number}")
    done = pyro("run", "-q", "n0", "--", "sh", "-c", "read x < /number; echo $x")
    assert (done.returncode, done.stdout) == (0, b"0\n"), done.stderr


def _pull_killed(pyro: PyroProgram, home: Path, name: str, dice: random.Random) -> None:
    with pyro.start("env", "pull", name) as process:
        try:
            process.wait(dice.uniform(0.05, 0.5))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
    wait_until(lambda: not processes_of(home), what="everything to end", timeout=15)


@pytest.mark.timeout(300)
def test_a_pull_from_the_archive(pyro: PyroProgram, cold_home: Path) -> None:
    """One of Debian's: its download and unpacking are other programs, in other namespaces."""
    dice = chance("archive")
    for _ in range(2):
        _killed(pyro, cold_home, "pyro", dice.uniform(1, 15), "env", "pull", "--refresh", "debian:12-base")
        _works(pyro, cold_home, "env", "list")


@pytest.mark.timeout(60 + 10 * ROUNDS)
def test_templates(pyro: PyroProgram, cold_home: Path) -> None:
    """Each round another size, so that there is always something to freeze; it takes longer than the moments given here.

    A QEMU that was killed is started once more, which is the one retry there is: the command then comes to its end.
    """
    for number in range(max(1, ROUNDS // 10)):
        dice, size = chance("template", number), str(256 + number)
        victim, moment = dice.choice(["pyro", "qemu"]), dice.uniform(0.3, 3.5)
        command = ("--mem-mib", size, TINY, "--", "busybox", "true")
        _killed(pyro, cold_home, victim, moment, "run", *command)
        _works(pyro, cold_home, "run", "-q", "--mem-mib", size, TINY, "--", "busybox", "true")
