import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

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


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["env", "list", "--json"], "not_found"), (["env", "lst", "--json"], "invalid_request")],
)
def test_who_asks_for_json_gets_errors_as_json_too(
    arguments: list[str],
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    use_engine: UseEngine,
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine = use_engine(MemoryEngine())

    def fail() -> None:
        raise errors.NotFound("it is not there", hint="Look elsewhere.")

    monkeypatch.setattr(engine, "environments", fail)
    status = run_cli(arguments)
    shown = capsys.readouterr()
    told = json.loads(shown.out)["error"]
    assert (told["code"], status) == (code, errors.exit_status_of(code))
    assert shown.err.startswith(f"error: {told['message']}\n")
    assert told["hint"] in shown.err


def test_a_commands_own_json_option_is_not_ours(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["run", "no:such", "--", "tool", "--json"]) == 125
    assert capsys.readouterr().out == ""


def _commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def test_every_command_has_an_example_in_its_help() -> None:
    found = dict(_commands(main.pyro))
    assert ("workspace", "file", "read") in found
    bare = [path for path, command in found.items() if f"pyro {' '.join(path)}" not in (command.help or "")]
    assert not bare


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


def test_help_tells_exit_statuses_as_the_errors_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["--help"]) == 0
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    for error in errors.PyroError.__subclasses__():
        assert f" {error.exit_status} {error.code}: " in shown
    assert "PYRO_REQUIRE_CONFINEMENT full: " in shown


def test_every_group_has_an_example_and_every_word_without_an_option_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    groups: list[tuple[tuple[str, ...], click.Group]] = [((), main.pyro)]
    for words, group in groups:
        assert run_cli([*words, "--help"]) == 0
        assert re.search(r"^  (.*\| )?pyro \w+", capsys.readouterr().out, re.MULTILINE), (
            f"{words}: no example"
        )
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                groups.append(((*words, name), command))
            unexplained = [item.name for item in command.params if not getattr(item, "help", None)]
            assert unexplained == [], (*words, name)


def test_a_hint_has_commands_and_options_as_one_types_them(
    use_engine: UseEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    hint = (
        "`<<workspace_list>>` shows them. Give <<overwrite=true>>, <<allow_paths>> or a smaller <<mem_mib>>."
    )
    use_engine(MemoryEngine(errors.NotFound("x", hint=hint)))
    assert run_cli(["run", "debian:12", "--", "true"]) == 125
    assert capsys.readouterr().err.splitlines()[-1] == (
        "hint: `pyro workspace list` shows them. Give --overwrite, --allow-path or a smaller --mem-mib."
    )
