"""The first runs of all: nothing frozen yet, an environment still to be built, and several who want it at once."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.ladder import DEBIAN, TINY, PyroProgram
from tests.remains import remains

from pyro_mcp import Pyro
from pyro_mcp.host.waiting import wait_until

pytestmark = pytest.mark.timeout(180)


def test_eight_at_once_make_one_image_and_one_template(pyro: PyroProgram, cold_home: Path) -> None:
    """`tiny` is busybox alone: what its machines need of the agent and of Python is none of the environment's."""

    def multiply(number: int) -> tuple[int, bytes, str]:
        done = pyro("run", TINY, "--", "busybox", "expr", str(number), "*", str(number), timeout=120)
        return done.returncode, done.stdout, done.stderr.decode()

    with ThreadPoolExecutor(8) as all_at_once:
        answers = list(all_at_once.map(multiply, range(1, 9)))
    assert [(status, out) for status, out, _ in answers] == [(0, b"%d\n" % n**2) for n in range(1, 9)]
    told = "".join(said for _, _, said in answers)
    assert told.count("pyro: building tiny\n") == 1
    assert told.count("pyro: freezing a 1024 MiB machine\n") == 1
    assert len(list((cold_home / "cache/templates").glob("*/about.json"))) == 1


def test_a_frozen_machine_that_was_damaged_is_made_anew(pyro: PyroProgram, cold_home: Path) -> None:
    assert pyro("run", TINY, "--", "busybox", "true").returncode == 0
    (memory,) = (cold_home / "cache/templates").glob("*/memory")
    os.truncate(memory, memory.stat().st_size // 2)
    done = pyro("run", TINY, "--", "busybox", "echo", "well")
    assert (done.returncode, done.stdout) == (0, b"well\n"), done.stderr
    assert b"freezing" in done.stderr


def test_a_frozen_machine_that_is_made_anew_has_nothing_of_the_old_one(
    pyro: PyroProgram, cold_home: Path
) -> None:
    """Machines share their memory with others of one freeze: the state of another does not fit to it."""
    with Pyro() as client, client.workspace.create(TINY) as old:
        assert pyro("prune", "--all", "-q").returncode == 0
        assert not list((cold_home / "cache/templates").glob("*/about.json"))
        with client.workspace.create(TINY) as new:
            assert new.exec(["busybox", "echo", "well"], timeout_seconds=20).stdout == "well\n"
        assert old.exec(["busybox", "echo", "as well"], timeout_seconds=20).stdout == "as well\n"


def test_first_runs_that_are_killed_are_no_hindrance_to_the_next(pyro: PyroProgram, cold_home: Path) -> None:
    for moment in (b"building tiny", b"freezing a 1024 MiB machine"):
        with pyro.start("run", TINY, "--", "busybox", "true") as process:
            assert process.stderr is not None
            said = b""
            while moment not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            process.kill()
            process.communicate()
    done = pyro("run", TINY, "--", "busybox", "echo", "well")
    assert (done.returncode, done.stdout) == (0, b"well\n"), done.stderr
    assert not remains(cold_home)


def test_a_freeze_that_was_killed_leaves_nothing_to_the_next_command(
    pyro: PyroProgram, cold_home: Path
) -> None:
    """Also when that wants another machine than the one which was being frozen."""
    with pyro.start("run", "--mem-mib", "512", DEBIAN, "--", "true") as process:
        wait_until(lambda: list((cold_home / "cache/templates").glob("*.new")), what="the freeze", timeout=20)
        process.kill()
        process.communicate()
    assert pyro("run", TINY, "--", "busybox", "true").returncode == 0
    assert not remains(cold_home)
