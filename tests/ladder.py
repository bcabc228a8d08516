"""The fixture ladder for real machines: home → environment → shop → machine → guest, and `pyro` as a process beside it.

Every test ends with a look at what is left, and a failed one leaves its machines' logs in a directory that it names.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.remains import links_of, remains

from pyro_mcp import Pyro
from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.environments.values import Environment
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.paths import Paths
from pyro_mcp.keeper.machine.logs import KEEP_LOGS
from pyro_mcp.keeper.start import starting_keeper
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.machines.shop import MachineShop
from pyro_mcp.workspaces.machines.values import RunningMachine, Size, passing_id
from pyro_wire.messages import Message

# What a tier's conftest.py takes: the fixtures, and the hook behind them.
__all__ = [
    "cold_home",
    "environment",
    "guest",
    "home",
    "machines",
    "nothing_left",
    "pyro",
    "pytest_runtest_makereport",
    "shop",
]
DEBIAN = "debian:12"
SMALL = Size(vcpu_count=1, mem_mib=1024)
_PROGRAM = Path(sys.executable).with_name("pyro")
_LOG_SHOWN = 3000
TINY = "tiny"
_TINY = """
name = "tiny"
summary = "busybox and nothing else"
base = "none"

[[files]]
path = "/bin/busybox"
source = "kit:busybox"
mode = "0755"

[[files]]
path = "/bin/sh"
link = "busybox"
"""
Machines = Callable[[], AbstractContextManager[RunningMachine]]


@dataclass(frozen=True)
class PyroProgram:
    """The `pyro` command, as a process."""

    def __call__(
        self, *arguments: str, stdin: bytes = b"", timeout: float = 50
    ) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [_PROGRAM, *arguments], input=stdin, capture_output=True, timeout=timeout, check=False
        )

    def start(self, *arguments: str, **options: object) -> "subprocess.Popen[bytes]":
        """Start it with pipes at all three ends, unless `options` say otherwise."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen([_PROGRAM, *arguments], **{**pipes, **options})  # type: ignore[call-overload,no-any-return]


@dataclass
class Guest:
    """The agent of a running machine, asked directly."""

    channel: Channel
    said: dict[int, bytearray] = field(default_factory=dict)

    def run(self, *argv: str, timeout: float = 20) -> tuple[Message, bytes]:
        """Run a command; give the agent's answer and the command's stdout."""
        self.said = {1: bytearray(), 2: bytearray()}
        request = {"verb": "exec", "argv": list(argv), "cwd": "/", "timeout_ms": round(timeout * 1000)}
        answer = self.channel.ask(
            {**request, "stdin": False},
            on_data=lambda number, data: self.said[number].extend(data),
            timeout=timeout + 20,
        )
        return answer, bytes(self.said[1])


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A PYRO_HOME of the session's own, but for the cache: environments and templates are the user's, built once."""
    cache = Paths.from_environment().cache
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A short path: sockets' names have 107 bytes.
    with TemporaryDirectory(prefix="pyro-vm-", dir="/tmp") as name, pytest.MonkeyPatch.context() as patch:
        found = Path(name)
        (found / "cache").symlink_to(cache)
        patch.setenv("PYRO_HOME", name)
        for variable in ("PYRO_REQUIRE_ISOLATION", "PYRO_REQUIRE_CONFINEMENT"):
            patch.delenv(variable, raising=False)
        yield found


@pytest.fixture
def cold_home(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A PYRO_HOME whose cache holds the guest kit and debian:12 but nothing frozen; it knows `tiny`, which is yet to be built."""
    shared = Paths.from_environment().cache
    with TemporaryDirectory(prefix="pyro-vm-", dir="/tmp") as name:
        found = Path(name)
        images = found / "cache/environments"
        images.mkdir(mode=0o700, parents=True)
        for part in ("kits", "ramdisks"):
            (found / "cache" / part).symlink_to(shared / part)
        (images / environment.digest).symlink_to(shared / "environments" / environment.digest)
        shutil.copytree(shared / "environments/keys", images / "keys")
        recipes = found / "config/environments"
        recipes.mkdir(parents=True)
        (recipes / "tiny.toml").write_text(_TINY)
        monkeypatch.setenv("PYRO_HOME", name)
        yield found
        left = remains(found)
    assert not left, "left behind:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def environment(home: Path) -> Environment:
    """debian:12, with the template that its machines come from already frozen."""
    found = EnvironmentStore(Paths.from_environment()).ensure(DEBIAN)
    Pyro().run(DEBIAN, "true")
    return found


@pytest.fixture(scope="session")
def shop(environment: Environment) -> MachineShop:
    """What makes machines."""
    paths = Paths.from_environment()
    return MachineShop(paths, EnvironmentStore(paths))


@pytest.fixture
def machines(shop: MachineShop, environment: Environment) -> Machines:
    """Gives a machine for the length of a block, as often as it is called."""

    @contextmanager
    def new() -> Iterator[RunningMachine]:
        with (
            starting_keeper(passing_id("run")) as keeper,
            shop.throwaway(keeper, environment, SMALL, Promises()) as machine,
        ):
            yield machine

    return new


@pytest.fixture
def guest(machines: Machines) -> Iterator[Guest]:
    """The agent of a machine of this test's own."""
    with machines() as machine, machine.channel() as channel:
        yield Guest(channel)


@pytest.fixture
def pyro(environment: Environment) -> PyroProgram:
    """The command line, ready to start machines at once."""
    return PyroProgram()


@pytest.fixture(autouse=True)
def nothing_left(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Look after each test for what its machines left; keep their logs, and show them when the test failed."""
    logs = tmp_path / "logs"
    monkeypatch.setenv(KEEP_LOGS, str(logs))
    descriptors = _descriptors()
    yield
    left = [*remains(home), *(f"descriptor {link}" for link in _descriptors() - descriptors)]
    if left or FAILED in request.node.stash:
        request.node.add_report_section("teardown", "machines", _logs_in(logs))
    assert not left, "left behind:\n" + "\n".join(left)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> Iterator[None]:
    """Remember that a test failed, for its fixtures' end."""
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        item.stash[FAILED] = True
    return report


def _descriptors() -> set[str]:
    """What this process holds of any machine: through the SDK the test itself is the client."""
    held = {link for link in links_of(os.getpid()) if link.startswith(("/run/pyro-uids/", "/tmp/pyro-vm-"))}
    return {
        link for link in held if "/state/registry.sqlite" not in link
    }  # a client's own, as long as it lives


def _logs_in(logs: Path) -> str:
    told = [f"the logs of this test's machines are in {logs}"]
    told += [
        f"--- {log.parent.name}/{log.name}\n{log.read_text(errors='replace')[-_LOG_SHOWN:]}"
        for log in sorted(logs.glob("*/*.log"))
    ]
    return "\n".join(told)
