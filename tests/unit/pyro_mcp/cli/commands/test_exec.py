import json
from typing import Any

import pytest
from tests.unit.pyro_mcp.cli.conftest import AskInstead

from pyro_mcp.cli.main import run_cli
from pyro_mcp.models.workspace import ExecResult
from pyro_mcp.workspaces.exec import ExecRequest

_ID = "out-4h7k2m9qxz"


def _result(**others: Any) -> ExecResult:
    facts = {"outcome": "finished", "exit_code": 0, "exec_id": _ID, "output_id": _ID, "duration_ms": 420}
    return ExecResult(**{**facts, **others})


def test_everything_on_the_line_reaches_the_request(ask_instead: AskInstead) -> None:
    asked = ask_instead("exec.exec_command", _result())
    options = (
        "--cwd src -e A=1 --env B=x=y --timeout-seconds 1.5 --yield-after-seconds 0 --max-output-chars 5000"
    )
    line = ["workspace", "exec", *options.split(), "--secret-env", "TOKEN", "tidy-otter"]
    assert run_cli([*line, "--", "sh", "-c", "exit 0", "--", "-x"]) == 0
    _, workspace, request, *_ = asked.arguments
    assert isinstance(request, ExecRequest)
    assert (workspace, request.command) == ("tidy-otter", ("sh", "-c", "exit 0", "--", "-x"))
    assert (request.cwd, request.env) == ("src", {"A": "1", "B": "x=y"})
    assert (request.timeout_seconds, request.yield_after_seconds) == (1.5, 0)
    assert request.secret_env == {"TOKEN": "TOKEN"}


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (_result(), 0),
        (_result(exit_code=7), 7),
        (_result(exit_code=None, signal=15, outcome="killed"), 143),
        (_result(exit_code=None, signal=9, outcome="timed_out"), 124),
        (_result(exit_code=None, outcome="running"), 0),
        (_result(exit_code=None, outcome="unknown"), 125),
    ],
)
def test_exit_statuses(result: ExecResult, status: int, ask_instead: AskInstead) -> None:
    ask_instead("exec.exec_command", result)
    assert run_cli(["workspace", "exec", "tidy-otter", "--", "x"]) == status


def test_output_goes_through_as_it_comes(
    ask_instead: AskInstead, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    ask_instead("exec.exec_command", _result())

    def say(_: object, __: str, ___: object, on_output: Any, ____: object) -> ExecResult:
        on_output("stdout", b"\x00\xff\n")
        on_output("stderr", b"err\r")
        return _result(stdout="kept for the answer")

    monkeypatch.setattr("pyro_mcp.workspaces.exec.exec_command", say)
    assert run_cli(["workspace", "exec", "-q", "tidy-otter", "--", "x"]) == 0
    shown = capfdbinary.readouterr()
    assert (shown.out, shown.err) == (b"\x00\xff\n", b"err\r")


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("finished", ""), ("running", f"exec-wait tidy-otter {_ID}"), ("unknown", f"{_ID} keeps what it wrote")],
)
def test_quiet_keeps_quiet_about_what_has_ended(
    outcome: str, told: str, ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_instead("exec.exec_command", _result(outcome=outcome))
    run_cli(["workspace", "exec", "-q", "tidy-otter", "--", "x"])
    said = capsys.readouterr().err
    assert told in said
    assert bool(said) == bool(told)


def test_json_is_one_object_with_the_output_in_it(
    ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_instead("exec.exec_command", _result(stdout="a\n", exit_code=3))
    assert run_cli(["workspace", "exec", "--json", "tidy-otter", "--", "x"]) == 3
    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    assert (answer["stdout"], answer["exit_code"], shown.err) == ("a\n", 3, "")


@pytest.mark.parametrize(
    ("arguments", "brief"),
    [
        (["tidy-otter", "git", "--version"], "no -- before the command"),
        (["tidy-otter", "git", "--", "x"], "'git' stands before --, where only WORKSPACE"),
        (["tidy-otter"], "no command given"),
        (["No Name", "--", "x"], "workspace 'No Name' is not of the form"),
    ],
)
def test_a_line_that_makes_no_sense_runs_nothing(
    arguments: list[str], brief: str, ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ask_instead("exec.exec_command", _result())
    assert run_cli(["workspace", "exec", *arguments]) == 125
    first, *_, last = capsys.readouterr().err.splitlines()
    assert brief in first
    assert last.startswith("hint: ")
    assert asked.arguments == []


def test_a_shells_line_in_one_word_gets_the_line_that_was_meant(
    ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_instead("exec.exec_command", _result(exit_code=127))
    line = ["workspace", "exec", "tidy-otter"]
    assert run_cli([*line, "--", "cd src && ls"]) == 127
    assert "hint: " in (said := capsys.readouterr().err)
    assert said.endswith("pyro workspace exec tidy-otter -- sh -c 'cd src && ls'\n")
    run_cli([*line, "-q", "--", "cd src && ls"])
    run_cli([*line, "--", "mispelt"])
    run_cli([*line, "--", "mispelt", "two words"])
    assert "hint" not in capsys.readouterr().err


def test_output_that_is_to_be_cut_is_printed_at_its_end_as_the_engine_cut_it(
    ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ask_instead("exec.exec_command", _result(stdout="a\n[...]\nz\n", stderr="e"))
    assert run_cli(["workspace", "exec", "-q", "tidy-otter", "--max-output-chars", "200", "--", "x"]) == 0
    _, _, request, on_output, _ = asked.arguments
    assert isinstance(request, ExecRequest)
    assert (request.max_output_chars, on_output) == (200, None)
    assert capsys.readouterr() == ("a\n[...]\nz\n", "e")


def test_waiting_keeps_the_streams_apart_and_names_the_workspace(
    ask_instead: AskInstead, capsys: pytest.CaptureFixture[str]
) -> None:
    wait = ["workspace", "exec-wait", "tidy-otter", _ID]
    ask_instead("exec.wait_for_exec", _result(stdout="out", stderr="err\n", exit_code=3))
    assert run_cli(wait) == 0
    assert capsys.readouterr() == ("out", f"err\npyro: exit status 3 after 0.42 s ({_ID})\n")
    assert run_cli([*wait, "-q"]) == 0
    assert capsys.readouterr() == ("out", "err\n")
    ask_instead("exec.wait_for_exec", _result(outcome="running", exit_code=None, stdout="so far\n"))
    assert run_cli([*wait, "-q"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err.endswith(f"exec-wait tidy-otter {_ID}\n")) == ("so far\n", True)
    run_cli(["workspace", "exec-wait", "--help"])
    assert "The exit status is not the command's" in " ".join(capsys.readouterr().out.split())
