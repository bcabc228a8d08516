import importlib
import os
import re
import subprocess
import sys

import click
import pytest
from tests.doors import MemoryEngine
from tests.unit.pyro_mcp.cli.conftest import UseEngine

from pyro_mcp import errors
from pyro_mcp.cli import main
from pyro_mcp.cli.main import run_cli


def test_help_names_every_command_in_its_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["--help"]) == 0
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    for name, (place, line) in main._COMMANDS.items():
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        assert (command.name, command.help and command.help.splitlines()[0]) == (name, line)
        assert f"{name} {line}" in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["--version"]) == 0
    assert capsys.readouterr().out == "pyro 0.1.0\n"


def test_without_arguments_it_shows_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli([]) == 2
    assert capsys.readouterr().err.startswith("Usage: pyro")


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(["rnu"], "'run'"), (["env", "lst"], "'list'"), (["env", "list", "--jsn"], "'--json'")],
)
def test_a_misspelt_name_gets_the_near_one(
    arguments: list[str], near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: No such")
    assert f"Did you mean {near}?" in said
    assert "hint: pyro" in said


@pytest.mark.parametrize(
    "error", [getattr(errors, name) for name in ("InvalidRequest", "NotFound", "HostUnfit", "LimitReached")]
)
def test_an_error_is_one_readable_message_and_the_contracts_status(
    error: type[errors.PyroError],
    monkeypatch: pytest.MonkeyPatch,
    use_engine: UseEngine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine = use_engine(MemoryEngine())

    def fail() -> None:
        raise error("it did not work", details="line one\nline two", hint="Do that.")

    monkeypatch.setattr(engine, "environments", fail)
    assert run_cli(["env", "list"]) == error.exit_status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error: it did not work\n  line one\n  line two\nhint: Do that.\n"


def test_ctrl_c_is_130_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, use_engine: UseEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = use_engine(MemoryEngine())

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "environments", interrupted)
    assert run_cli(["env", "list"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_reader_that_has_gone_ends_it_quietly() -> None:
    program = "from pyro_mcp.cli.main import main; main(['--help'])"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
