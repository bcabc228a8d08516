"""What breaks beside pyro: guests that attack the line, and caches that are damaged, full or read-only.

A seeded sample of what `make torture` does at length.
"""

import os
import random
from pathlib import Path

import pytest
from tests.broken import cut, full_disk, image_of, read_only, the_only
from tests.hostile import ATTACKS, KEEPER_MIB, Attack, attacked, named
from tests.killing import VICTIMS, kill_during
from tests.ladder import TINY, Guest, Machines, PyroProgram
from tests.remains import remains
from tests.worker import WORKS

from pyro_mcp import PyroError
from pyro_mcp.errors import GuestFailed, OutcomeUnknown

_SEED = "20261122"
_SECONDS = 0.3
_AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a filesystem, which takes root")
# Root in the guest takes the port from the agent, to have it for itself. That ends the agent, and with it the machine.
_TAKE_THE_PORT = """
mkdir /tmp/sys; mount -t sysfs none /tmp/sys; cd /tmp/sys/bus/virtio/drivers/virtio_console
echo virtio0 > unbind; echo virtio0 > bind
mknod /tmp/port c $(cat /tmp/sys/class/virtio-ports/vport*/dev | tr : ' '); cat /dev/urandom > /tmp/port
"""


@pytest.mark.parametrize("attack", random.Random(_SEED).sample(ATTACKS, 5), ids=named)
def test_a_guest_that_attacks_its_keeper(tmp_path: Path, attack: Attack) -> None:
    with attacked(tmp_path, attack, seed=_SEED, seconds=_SECONDS) as keeper:
        assert isinstance(keeper.ask({"verb": "ping"}, _SECONDS), PyroError)
        assert keeper.peak_mib() < KEEPER_MIB
        keeper.process.terminate()
        assert keeper.process.stderr is not None
        assert b"Traceback" not in keeper.process.stderr.read()


def test_root_in_a_guest_cannot_have_the_port(machines: Machines) -> None:
    """And the machine beside it does not notice."""
    with machines() as other, machines() as attacking:
        with attacking.channel() as channel, pytest.raises((GuestFailed, OutcomeUnknown)):
            Guest(channel).run("sh", "-c", _TAKE_THE_PORT)
        with other.channel() as channel:
            assert Guest(channel).run("echo", "well")[1] == b"well\n"


def test_damaged_caches_are_found_and_made_anew(pyro: PyroProgram, cold_home: Path) -> None:
    assert pyro("run", TINY, "--", "busybox", "true").returncode == 0
    cut(image_of(TINY))
    cut(the_only("templates/*/state"))
    done = pyro("run", TINY, "--", "busybox", "echo", "well")
    assert (done.returncode, done.stdout) == (0, b"well\n"), done.stderr
    assert b"building tiny" in done.stderr
    assert b"freezing" in done.stderr


@_AS_ROOT
def test_a_full_cache_disk(pyro: PyroProgram, cold_home: Path) -> None:
    with full_disk(cold_home / "cache", 24):
        done = pyro("run", TINY, "--", "busybox", "true")
        assert done.returncode == 125
        assert b"error: " in done.stderr
        assert b"Traceback" not in done.stderr
        assert not remains(cold_home)


@_AS_ROOT
def test_a_read_only_cache(pyro: PyroProgram, cold_home: Path) -> None:
    """What is there is used; what would have to be made is refused."""
    assert pyro("run", TINY, "--", "busybox", "true").returncode == 0
    with read_only(cold_home / "cache"):
        done = pyro("run", TINY, "--", "busybox", "echo", "well")
        assert (done.returncode, done.stdout) == (0, b"well\n"), done.stderr
        refused = pyro("run", "--mem-mib", "512", TINY, "--", "busybox", "true")
        assert refused.returncode == 125
        assert b"error: " in refused.stderr
        assert b"Traceback" not in refused.stderr


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("work", "victim"), list(zip(WORKS, random.Random(_SEED).choices(VICTIMS, k=len(WORKS)), strict=True))
)
def test_a_kill_while_a_workspace_changes(home: Path, work: str, victim: str) -> None:
    """Nothing acknowledged is lost, nothing is left over."""
    kill_during(work, victim, home, random.Random(f"{_SEED} {work}"))
