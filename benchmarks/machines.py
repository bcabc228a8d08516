"""One machine: frozen, restored, asked, and weighed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.figures import Book, Laps, elapsed
from benchmarks.homes import DEBIAN, cold_home
from benchmarks.memory import proportional_mib
from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.paths import Paths
from pyro_mcp.keeper.start import starting_keeper
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.machines.shop import MachineShop
from pyro_mcp.workspaces.machines.values import RunningMachine, Size, passing_id
from pyro_wire.messages import Message

_SIZE = Size(vcpu_count=1, mem_mib=1024)
_SMALL = Size(vcpu_count=1, mem_mib=512)
_STATUS: Message = {"verb": "keeper.status"}
# What a keeper measures of its own start, in the order in which it happens.
_LAPS = {
    "launch_ms": "restore: QEMU starts and greets",
    "memory_ms": "restore: the frozen memory is there",
    "load_ms": "restore: the frozen devices are loaded",
    "greet_ms": "restore: the agent answers",
    "restore_ms": "restore, all of these",
    "attach_ms": "then: clock, entropy, names and disk",
}
_BULK = 64 << 20
_PINGS = 50
_TOGETHER = 4


def measure(book: Book, paths: Paths) -> None:
    """Note everything about throwaway machines."""
    _templates(book, paths.cache)
    with _machine(paths, _SIZE) as first:  # its template is there from now on
        book.group = f"one machine, {_isolation_of(paths)}"
        _bulk(book, first)
        _pings(book, first)
    laps = Laps()
    for _ in range(book.runs):
        with laps.lap("a machine, from nothing to its end"), _machine(paths, _SIZE) as channel:
            _one(laps, channel)
    laps.into(book)
    _memory(book, paths)


def _templates(book: Book, cache: Path) -> None:
    book.group = "template"
    took = []
    for _ in range(min(book.runs, 3)):
        with cold_home(cache) as cold, ExitStack() as stack:
            took.append(elapsed(lambda: stack.enter_context(_machine(cold, _SIZE))))
    book.add("boot, freeze, and the first machine from it", "ms", took)


def _one(laps: Laps, channel: Channel) -> None:
    timings = channel.ask(_STATUS)["timings"]
    assert isinstance(timings, dict)
    for key, name in _LAPS.items():
        if key in timings:
            laps.note(name, float(timings[key]))
    with laps.lap("first command (true)"):
        _exec(channel, "true")
    for _ in range(3):
        with laps.lap("later commands (true)"):
            _exec(channel, "true")
        laps.note("a command's overhead over its own time", _overhead(channel))
    with laps.lap("git --version, the second time"):
        _exec(channel, "git", "--version")


def _overhead(channel: Channel) -> float:
    own = [0.0]
    return elapsed(lambda: own.append(_exec(channel, "true"))) - sum(own)


def _exec(channel: Channel, *argv: str, body: bytes | None = None) -> float:
    """Run a command; give the milliseconds it took in the guest."""
    request: Message = {"verb": "exec", "argv": list(argv), "cwd": "/", "timeout_ms": 60_000}
    answer = channel.ask({**request, "stdin": body is not None}, body=body, on_data=lambda *_: None)
    if answer.get("exit_code") != 0:
        raise RuntimeError(f"{argv} did not work: {answer}")
    return float(str(answer["duration_ms"]))


def _pings(book: Book, channel: Channel) -> None:
    book.times("round trip to the agent, by its keeper", lambda: channel.ask({"verb": "ping"}), _PINGS)


def _bulk(book: Book, channel: Channel) -> None:
    mib = _BULK >> 20
    body = bytes(_BULK)
    ways = {
        "into a command (cat >/dev/null)": lambda: _exec(channel, "sh", "-c", "cat >/dev/null", body=body),
        "out of a command (head -c /dev/zero)": lambda: _exec(channel, "head", "-c", str(_BULK), "/dev/zero"),
    }
    for name, act in ways.items():
        book.add(f"{mib} MiB {name}", "MiB/s", [mib / elapsed(act) * 1000 for _ in range(min(book.runs, 5))])


def _memory(book: Book, paths: Paths) -> None:
    book.group = "memory (proportional, QEMU and keeper), after one command"
    for size in (_SMALL, _SIZE):
        alone = []
        for _ in range(min(book.runs, 3)):
            with _machine(paths, size) as channel:
                _exec(channel, "true")
                alone.append(proportional_mib(channel.ask(_STATUS)))
        book.add(f"a machine of {size.mem_mib} MiB alone", "MiB", alone)
    with ExitStack() as stack:
        channels = [stack.enter_context(_machine(paths, _SMALL)) for _ in range(_TOGETHER)]
        for channel in channels:
            _exec(channel, "true")
        each = [proportional_mib(channel.ask(_STATUS)) for channel in channels]
        book.add(f"each of {_TOGETHER} machines of {_SMALL.mem_mib} MiB at once", "MiB", each)


@contextmanager
def _machine(paths: Paths, size: Size) -> Iterator[Channel]:
    with _running(paths, size) as machine, machine.channel() as channel:
        yield channel


def _isolation_of(paths: Paths) -> str:
    with _running(paths, _SIZE) as machine:
        return f"{machine.isolation}, confinement {machine.confinement}"


@contextmanager
def _running(paths: Paths, size: Size) -> Iterator[RunningMachine]:
    environments = EnvironmentStore(paths)
    with (
        starting_keeper(passing_id("run")) as keeper,
        MachineShop(paths, environments).throwaway(
            keeper, environments.ensure(DEBIAN), size, Promises()
        ) as machine,
    ):
        yield machine
