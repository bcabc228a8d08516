import io
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doors import ENVIRONMENTS, MemoryEngine, finished

from pyro_mcp import InvalidRequest, NotFound, Pyro
from pyro_mcp.host.interruption import interruptible
from pyro_mcp.models.run import RunRequest, StreamName


def test_a_run_reaches_the_engine_as_one_frozen_request() -> None:
    engine = MemoryEngine()
    Pyro(engine=engine).run("debian:12", ["git", "--version"], env={"A": "1"}, stdin="ä", mem_mib=512)
    assert engine.requests == [
        RunRequest(
            environment="debian:12",
            command=("git", "--version"),
            env={"A": "1"},
            stdin="ä".encode(),
            mem_mib=512,
        )
    ]


def test_a_string_stays_one_for_the_shell() -> None:
    engine = MemoryEngine()
    Pyro(engine=engine).run("debian:12", "git --version")
    assert engine.requests[0].command == "git --version"


def test_the_answer_holds_both_streams_apart() -> None:
    engine = MemoryEngine(finished(7), chunks=[("stdout", b"out"), ("stderr", b"err"), ("stdout", b"put")])
    result = Pyro(engine=engine).run("debian:12", "x")
    assert (result.stdout, result.stderr, result.exit_code) == ("output", "err", 7)


def test_a_listener_takes_the_output_instead() -> None:
    heard: list[tuple[StreamName, bytes]] = []
    engine = MemoryEngine(chunks=[("stdout", b"\xff"), ("stderr", b"b")])
    result = Pyro(engine=engine).run(
        "debian:12", "x", on_output=lambda stream, data: heard.append((stream, data))
    )
    assert heard == [("stdout", b"\xff"), ("stderr", b"b")]
    assert (result.stdout, result.stderr) == ("", "")


def test_a_bounded_client_cuts_and_the_original_does_not() -> None:
    pyro = Pyro(engine=MemoryEngine(chunks=[("stdout", b"x" * 100)]))
    assert pyro.bounded(10).run("debian:12", "x").stdout_truncated
    assert not pyro.run("debian:12", "x").stdout_truncated


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda pyro: pyro.run("debian:12", []), "command is empty"),
        (lambda pyro: pyro.run("debian:12", ["a\0"]), "command contains a NUL"),
        (lambda pyro: pyro.run("Debian 12", "x"), "environment .* is not of the form"),
        (lambda pyro: pyro.run("debian:12", "x", vcpu_count=1000), "vcpu_count is 1000"),
        (lambda pyro: pyro.run("debian:12", "x", mem_mib=1), "mem_mib is 1; the least is 128"),
        (lambda pyro: pyro.run("debian:12", "x", timeout_seconds=-1), "timeout_seconds is -1"),
        (lambda pyro: pyro.run("debian:12", "x", env={"=": ""}), "env has '='"),
        (lambda pyro: pyro.run("debian:12", "x", stdin=io.BytesIO(b"x")), "no descriptor stands behind"),
    ],
)
def test_bad_input_is_refused_before_the_engine_hears_of_it(
    call: Callable[[Pyro], object], fault: str
) -> None:
    engine = MemoryEngine()
    with pytest.raises(InvalidRequest, match=fault) as refused:
        call(Pyro(engine=engine))
    assert engine.requests == []
    assert refused.value.hint


def test_an_open_file_is_handed_on_as_its_descriptor(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"abc")
    engine = MemoryEngine()
    with (tmp_path / "input").open("rb") as file:
        Pyro(engine=engine).run("debian:12", "wc", stdin=file)
        assert engine.requests[0].stdin == file.fileno()


def test_requirements_come_from_the_caller_or_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = MemoryEngine()
    Pyro(engine=engine).run("debian:12", "x")
    Pyro(engine=engine, require_confinement="full").run("debian:12", "x")
    monkeypatch.setenv("PYRO_REQUIRE_ISOLATION", "hardware")
    Pyro(engine=engine).run("debian:12", "x")
    required = [(request.require_isolation, request.require_confinement) for request in engine.requests]
    assert required == [(None, None), (None, "full"), ("hardware", None)]


def test_a_requirement_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYRO_REQUIRE_CONFINEMENT", "total")
    with pytest.raises(InvalidRequest, match="PYRO_REQUIRE_CONFINEMENT is 'total'"):
        Pyro()


def test_the_engines_errors_come_through_typed() -> None:
    with pytest.raises(NotFound, match="no environment"):
        Pyro(engine=MemoryEngine(NotFound("no environment is called x"))).run("x", "y")


def test_environments_are_the_engines() -> None:
    assert Pyro(engine=MemoryEngine()).environments() == ENVIRONMENTS


def test_the_engine_is_given_the_interruption_of_the_call() -> None:
    seen: list[object] = []
    pyro = Pyro(engine=MemoryEngine(meanwhile=seen.append))
    pyro.run("debian:12", "x")
    with interruptible() as interruption:
        pyro.run("debian:12", "x")
    assert seen == [None, interruption]


def test_a_client_lets_go_of_its_engine() -> None:
    engine = MemoryEngine()
    with Pyro(engine=engine) as pyro:
        assert pyro.run("debian:12", "true").exit_code == 0
        assert not engine.closed
    assert engine.closed
    Pyro().close()
