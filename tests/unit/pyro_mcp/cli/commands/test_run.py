import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doors import MemoryEngine, finished
from tests.unit.pyro_mcp.cli.conftest import UseEngine

from pyro_mcp.cli.guest_command import write_through
from pyro_mcp.cli.main import run_cli
from pyro_mcp.errors import HostUnfit, NotFound
from pyro_mcp.host.interruption import Interruption
from pyro_mcp.models.run import RunResult


def test_everything_on_the_line_reaches_the_request(use_engine: UseEngine) -> None:
    engine = use_engine(MemoryEngine())
    options = (
        "--vcpu-count 2 --mem-mib 512 --timeout-seconds 1.5 -e A=1 --env B=x=y --require-confinement full"
    )
    assert run_cli(["run", *options.split(), "debian:12", "--", "sh", "-c", "exit 0", "--", "-x"]) == 0
    request = engine.requests[0]
    assert request.environment == "debian:12"
    assert request.command == ("sh", "-c", "exit 0", "--", "-x")
    assert (request.vcpu_count, request.mem_mib, request.timeout_seconds) == (2, 512, 1.5)
    assert request.env == {"A": "1", "B": "x=y"}
    assert (request.require_isolation, request.require_confinement) == (None, "full")


def test_streams_go_to_their_own_as_raw_bytes(
    use_engine: UseEngine, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    use_engine(MemoryEngine(chunks=[("stdout", b"\x00\xff\n"), ("stderr", b"err\r"), ("stdout", b"end")]))
    assert run_cli(["run", "-q", "debian:12", "--", "x"]) == 0
    shown = capfdbinary.readouterr()
    assert (shown.out, shown.err) == (b"\x00\xff\nend", b"err\r")


def test_a_summary_line_tells_isolation_confinement_and_duration(
    use_engine: UseEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    use_engine(MemoryEngine())
    run_cli(["run", "debian:12", "--", "x"])
    shown = capfd.readouterr()
    assert shown.out == ""
    assert (
        shown.err == "pyro: exit status 0 after 0.42 s in debian:12 (isolation emulated, confinement full)\n"
    )


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (finished(0), 0),
        (finished(7), 7),
        (finished(255), 255),
        (finished(137, signal=9), 137),
        (finished(None, signal=15), 143),
        (finished(None, outcome="timed_out", signal=9), 124),
        (finished(None, outcome="interrupted", signal=2), 130),
        (finished(None, outcome="interrupted"), 130),
        (finished(3, outcome="interrupted"), 3),
        (finished(None, outcome="killed"), 137),
    ],
)
def test_exit_statuses(result: RunResult, status: int, use_engine: UseEngine) -> None:
    use_engine(MemoryEngine(result))
    assert run_cli(["run", "-q", "debian:12", "--", "x"]) == status


def test_json_is_one_object_on_stdout_and_nothing_else(
    use_engine: UseEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    use_engine(MemoryEngine(finished(3), chunks=[("stdout", "ä\n".encode()), ("stderr", b"\xff")]))
    assert run_cli(["run", "--json", "debian:12", "--", "x"]) == 3
    shown = capfd.readouterr()
    answer = json.loads(shown.out)
    assert (answer["stdout"], answer["stderr"], answer["exit_code"]) == (
        "ä\n",
        "\N{REPLACEMENT CHARACTER}",
        3,
    )
    assert shown.err == ""


@pytest.mark.parametrize(
    ("arguments", "brief", "hint"),
    [
        (
            ["debian:12", "git", "--version"],
            "no -- before the command",
            "pyro run debian:12 -- git --version",
        ),
        (["debian:12", "git", "--", "x"], "'git' stands before --", "pyro run debian:12 [OPTIONS] -- git"),
        (["debian:12"], "no command given", "pyro run debian:12 -- COMMAND..."),
        (["debian:12", "--"], "no command given", "pyro run debian:12 -- COMMAND..."),
        (["debian:12", "--", ""], "command is empty", "after --"),
        (["--", "git"], "Missing argument 'ENVIRONMENT'", "pyro run --help"),
        (["--mem-mib", "1", "debian:12", "--", "x"], "mem_mib is 1; the least is 128", "Memory in MiB"),
        (["--mem-mib", "lots", "debian:12", "--", "x"], "'lots' is not a valid integer", "pyro run --help"),
        (["--mem-mbi", "1", "debian:12", "--", "x"], "No such option '--mem-mbi'", "pyro run --help"),
        (["-e", "A", "debian:12", "--", "x"], "--env A has no value", "--env A=VALUE"),
        (["Debian", "--", "x"], "environment 'Debian' is not of the form", "pyro env list"),
    ],
)
def test_a_line_that_makes_no_sense_starts_nothing(
    arguments: list[str], brief: str, hint: str, use_engine: UseEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = use_engine(MemoryEngine())
    assert run_cli(["run", *arguments]) == 125
    first, *_, last = capsys.readouterr().err.splitlines()
    assert brief in first
    assert last.startswith("hint: ")
    assert hint in last
    assert engine.requests == []


@pytest.mark.parametrize("error", [NotFound("no environment is called x"), HostUnfit("QEMU is missing")])
def test_pyros_own_failure_is_125(
    error: Exception, use_engine: UseEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    use_engine(MemoryEngine(error))
    assert run_cli(["run", "debian:12", "--", "x"]) == 125
    assert capsys.readouterr().err == f"error: {error}\n"


def _press_ctrl_c(times: int, wishes: list[str | None]) -> object:
    def meanwhile(interrupted: Interruption | None) -> None:
        assert interrupted is not None
        with interrupted.heeded():
            for _ in range(times):
                os.kill(os.getpid(), signal.SIGINT)
                wishes.append(interrupted.take())

    return meanwhile


def test_ctrl_c_interrupts_the_command_and_a_second_one_kills_it(use_engine: UseEngine) -> None:
    wishes: list[str | None] = []
    engine = MemoryEngine(finished(None, outcome="killed"))
    engine.meanwhile = _press_ctrl_c(2, wishes)  # type: ignore[assignment]
    use_engine(engine)
    assert run_cli(["run", "-q", "debian:12", "--", "x"]) == 137
    assert wishes == ["interrupt", "kill"]


def test_a_third_ctrl_c_gives_up_waiting(use_engine: UseEngine) -> None:
    wishes: list[str | None] = []
    engine = MemoryEngine()
    engine.meanwhile = _press_ctrl_c(3, wishes)  # type: ignore[assignment]
    use_engine(engine)
    assert run_cli(["run", "-q", "debian:12", "--", "x"]) == 130
    assert wishes == ["interrupt", "kill"]


@pytest.fixture
def heeded_ctrl_c() -> Iterator[None]:
    """Ctrl-C as a terminal has it: what runs in the background may have been started without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded_ctrl_c")
def test_ctrl_c_before_the_command_runs_ends_pyro(use_engine: UseEngine) -> None:
    engine = MemoryEngine()
    engine.meanwhile = lambda interrupted: os.kill(os.getpid(), signal.SIGINT)
    use_engine(engine)
    assert run_cli(["run", "-q", "debian:12", "--", "x"]) == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_everything_is_written_also_where_stdout_does_not_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    monkeypatch.setattr("pyro_mcp.cli.guest_command._DESCRIPTORS", {"stdout": writing})
    data = os.urandom(300_000)
    child = os.fork()
    if child == 0:
        os.close(writing)
        with (tmp_path / "got").open("wb") as got:
            while block := os.read(reading, 65536):
                got.write(block)
        os._exit(0)
    write_through("stdout", data)
    os.close(writing)
    os.waitpid(child, 0)
    os.close(reading)
    assert (tmp_path / "got").read_bytes() == data
