"""Machines of one template are no twins, and know what time it is."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.ladder import DEBIAN, Guest, PyroProgram

from pyro_mcp import Pyro
from pyro_mcp.qemu import command

_TELL = """
import json, pathlib, random, socket, time, uuid
read = lambda path: pathlib.Path(path).read_text().strip()
print(json.dumps({
    "machine-id": read("/etc/machine-id"),
    "hostname": socket.gethostname(),
    "/etc/hostname": read("/etc/hostname"),
    "urandom": open("/dev/urandom", "rb").read(32).hex(),
    "python's random": random.getrandbits(256),
    "boot id": read("/proc/sys/kernel/random/boot_id"),
    "kernel's uuid": read("/proc/sys/kernel/random/uuid"),
    "stack address": read("/proc/self/stat").split()[27],
}))
"""
_CLOCK_SECONDS = 1.0


def test_machines_at_once_share_nothing_that_tells_them_apart(pyro: PyroProgram) -> None:
    def told(_: int) -> dict[str, object]:
        done = pyro("run", "-q", DEBIAN, "--", "python3", "-c", _TELL)
        return dict(json.loads(done.stdout))

    with ThreadPoolExecutor() as both:
        one, other = both.map(told, range(2))
    assert not {name for name in one if one[name] == other[name]}
    assert one["hostname"] == one["/etc/hostname"]


def test_commands_of_one_machine_differ_too(guest: Guest) -> None:
    """Runners are forked ahead, before the freeze: none may carry the template's random state into its command."""
    programs = [guest.run("python3", "-c", _TELL)[1] for _ in range(2)]
    one, other = (json.loads(said) for said in programs)
    assert one["machine-id"] == other["machine-id"]
    assert one["boot id"] == other["boot id"]
    assert one["urandom"] != other["urandom"]
    assert one["python's random"] != other["python's random"]


def test_the_clock_is_the_hosts(guest: Guest) -> None:
    before = time.time()
    _, said = guest.run("python3", "-c", "import time; print(time.time())")
    assert before - _CLOCK_SECONDS < float(said) < time.time() + _CLOCK_SECONDS


def test_the_clock_is_a_fine_one(guest: Guest) -> None:
    """However busy the host was when the template was frozen: jiffies would be 4 ms."""
    _, source = guest.run("cat", "/sys/devices/system/clocksource/clocksource0/current_clocksource")
    assert source.strip() in (b"tsc", b"tsc-early", b"kvm-clock")


@pytest.fixture
def cache_of_yesterday(cold_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache without templates, and a QEMU whose hardware clock stands a day back when it boots one.

    Only this process boots; the keeper that restores has its own QEMU command line, with the clock of the day.
    """
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    board = command._board
    monkeypatch.setattr(command, "_board", lambda machine: [*board(machine), "-rtc", f"base={yesterday}"])


@pytest.mark.usefixtures("cache_of_yesterday")
def test_the_clock_is_right_though_the_template_is_a_day_old() -> None:
    read = "import time; print(time.time(), open('/sys/class/rtc/rtc0/since_epoch').read())"
    before = time.time()
    said = Pyro().run(DEBIAN, ["python3", "-c", read]).stdout
    clock, hardware = map(float, said.split())
    # The hardware clock is the template's and shows how old that is.
    assert hardware < time.time() - 23 * 3600
    assert before - _CLOCK_SECONDS < clock < time.time() + _CLOCK_SECONDS
