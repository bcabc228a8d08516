import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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


_LIST = "from pyro_mcp.cli.main import main; main(['env', 'list'])"


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        ("> /dev/full", errors.LimitReached.exit_status, "error: what is written does not fit: "),
        ("> /dev/full 2> /dev/full", errors.LimitReached.exit_status, ""),
    ],
)
def test_output_that_goes_nowhere_is_no_traceback(redirection: str, status: int, said: str) -> None:
    line = f'exec "$0" -c "$1" {redirection}'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable, _LIST], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_no_file_is_opened_in_the_place_of_a_closed_stream() -> None:
    program = (
        "import os, sys; from pyro_mcp.cli import main; main._open_what_is_closed();"
        "sys.exit([os.readlink(f'/proc/self/fd/{n}') for n in range(3)] != 3 * ['/dev/null'])"
    )
    line = 'exec "$0" -c "$1" <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", line, sys.executable, program], check=False).returncode == 0


def test_a_directory_that_is_gone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr("pyro_mcp.cli.main.pyro.main", lambda *_, **__: Path.cwd())
    assert run_cli(["workspace", "create", "--seed-path", "."]) == errors.InvalidRequest.exit_status
    assert capsys.readouterr().err.startswith("error: the directory that this was started in is gone\n")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["workspace", "create", "--label"], "pyro workspace create --help shows what it takes."),
        (["workspace", "file", "edit", "x", "--edit", "a"], "pyro workspace file edit --help shows"),
        (["workspace", "nonsense"], "pyro workspace --help shows"),
        (["run", "-it", "debian:12", "bash"], "pyro workspace attach NAME"),
        (["workspace", "exec", "--tty", "x", "--", "bash"], "pyro workspace attach NAME"),
    ],
)
def test_a_line_that_cannot_be_read_leads_to_its_own_commands_help(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_cli(arguments)
    assert f"hint: {hint}" in capsys.readouterr().err.replace("For a terminal: ", "").replace(
        "pyro workspace create --name NAME, then ", ""
    )


@pytest.mark.parametrize("variable", [True, False])
def test_no_color_is_heeded(variable: bool, monkeypatch: pytest.MonkeyPatch, use_engine: UseEngine) -> None:
    engine, seen = use_engine(MemoryEngine()), []
    monkeypatch.setenv("NO_COLOR", "1") if variable else monkeypatch.delenv("NO_COLOR", raising=False)

    def look() -> list[object]:
        seen.append(click.get_current_context().color)
        return []

    monkeypatch.setattr(engine, "environments", look)
    assert run_cli(["env", "list", "--json"]) == 0
    assert seen == [False if variable else None]


def test_a_directory_in_the_place_of_an_environment_is_told_its_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use_engine: UseEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    use_engine(MemoryEngine())
    monkeypatch.chdir(tmp_path)
    for name in ("src", "debian:12"):
        (tmp_path / name).mkdir()
    for given in (".", "src", str(tmp_path)):
        assert run_cli(["workspace", "create", given]) == 2
        assert f"hint: Did you mean --seed-path {given}?\n" in capsys.readouterr().err
    assert run_cli(["run", ".", "--", "ls"]) == 125
    assert "hint: Did you mean --seed-path .?\n" in capsys.readouterr().err
    assert run_cli(["run", "-q", "debian:12", "--", "ls"]) == 0


def test_help_shows_what_is_meant_by_what_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    for line, default in (
        ("workspace create", "never"),
        ("workspace list", "all"),
        ("workspace shell write", "append-newline"),
        ("workspace output read", "all"),
    ):
        run_cli([*line.split(), "--help"])
        assert f"[default: {default}]" in " ".join(capsys.readouterr().out.split())
