"""The `pyro` command: its names, and the one translation of errors. A command's module loads when the command runs."""

import errno
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn, cast

import click

from pyro_mcp.cli.groups import SpellingGroup, load
from pyro_mcp.cli.telling import spelt, tell
from pyro_mcp.errors import HostUnfit, InvalidRequest, LimitReached, PyroError
from pyro_mcp.progress import remarks

# Name: (where the command is, the line that help shows). Here, so that `pyro --help` imports nothing but click; a test
# holds the lines equal to the commands' own.
_COMMANDS: Mapping[str, tuple[str, str]] = {
    "run": ("pyro_mcp.cli.commands.run:run", "Run one command in a throwaway Linux machine without network."),
    "workspace": (
        "pyro_mcp.cli.commands.workspace:workspace",
        "Linux machines that stay: create, work in, roll back, fork, delete.",
    ),
    "env": ("pyro_mcp.cli.commands.env:env", "The root filesystems that machines boot."),
    "mcp": ("pyro_mcp.cli.commands.mcp:mcp", "The MCP server for chat hosts."),
    "prune": ("pyro_mcp.cli.commands.prune:prune", "Free the disk space that nothing uses any more."),
    "doctor": (
        "pyro_mcp.cli.commands.doctor:doctor",
        "Check whether this host can run machines, and how to fix it if not.",
    ),
    "demo": ("pyro_mcp.cli.commands.demo:demo", "Take a short tour on real machines."),
}


_COMMANDS_OWN = (
    "the command's own; 128+n when signal n ended it, 124 out of time, 125 when pyro itself failed"
)
# What docker's users give to get one.
_OF_TERMINALS = frozenset({"-i", "-t", "--interactive", "--tty"})
_VARIABLES = (
    ("PYRO_HOME", "one directory for all of pyro's; else XDG_STATE_HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME"),
    ("PYRO_REQUIRE_ISOLATION", "hardware: refuse machines that would be emulated"),
    ("PYRO_REQUIRE_CONFINEMENT", "full: refuse machines whose QEMU would not be walled in"),
    ("PYRO_DEBIAN_MIRROR", "where Debian's packages come from"),
)


class LazyGroup(SpellingGroup):
    """The commands by name; the one that is asked for is loaded."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load(_COMMANDS[cmd_name][0]) if cmd_name in _COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])
        with formatter.section("Exit status"):
            formatter.write_dl([("0", "done"), *_statuses(), ("run, exec", _COMMANDS_OWN)])
        with formatter.section("Variables"):
            formatter.write_dl(_VARIABLES)


def _statuses() -> list[tuple[str, str]]:
    """What the other exit statuses mean, each error's code and what to do."""
    found = {error.exit_status: error for error in PyroError.__subclasses__()}
    return [
        (str(status), f"{error.code}: {(error.__doc__ or '').splitlines()[0]}")
        for status, error in sorted(found.items())
    ]


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"pyro {version('pyro-mcp')}")
        ctx.exit()


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
def pyro() -> None:
    """Small Linux machines of their own, for coding agents and the people who run them.

    \b
    pyro demo                                            a tour
    pyro run debian:12 -- git --version                  one command in a throwaway machine
    pyro workspace create --seed-path . --name fix-123   a machine that stays, with a copy of a project
    pyro workspace exec fix-123 -- COMMAND...            work in it
    pyro workspace diff fix-123                          what changed
    pyro mcp connect claude-code                         the same for a chat host
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; never shows a traceback for what a user can cause."""
    _open_what_is_closed()
    _leave(run_cli(sys.argv[1:] if arguments is None else list(arguments)))


def _open_what_is_closed() -> None:
    """Let nothing of ours, a database say, be opened in the place of a standard stream that our caller has closed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(
                os.open(os.devnull, os.O_RDWR), True
            )  # the lowest number that is free: this one
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - stays open


def _leave(status: int) -> NoReturn:
    """Exit. Where nothing else runs in this process, Python need not take it apart object by object: that takes 10 ms."""
    with suppress(OSError, ValueError):  # whoever read it has gone, which run_cli has told
        sys.stdout.flush()
        sys.stderr.flush()
        if "threading" not in sys.modules or sys.modules["threading"].active_count() == 1:
            os._exit(status)
    sys.exit(status)


def run_cli(arguments: list[str]) -> int:
    """Run the command line and give its exit status."""
    # What `run` and `exec` report may be a command's own status; pyro's own troubles must not look like one.
    failed = 125 if arguments[:1] == ["run"] or arguments[:2] == ["workspace", "exec"] else None
    try:
        with remarks():
            colours = False if os.environ.get("NO_COLOR") else None
            answer = pyro.main(arguments, prog_name="pyro", standalone_mode=False, color=colours)
        sys.stdout.flush()
        return answer if isinstance(answer, int) else 0
    except PyroError as error:
        _tell(error, arguments)
        return failed or error.exit_status
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        _tell(InvalidRequest(error.format_message(), hint=_usage_hint(error, arguments)), arguments)
        return failed or 2
    except (KeyboardInterrupt, click.Abort):
        return 130
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has gone (click makes a SystemExit of it): nothing to say, and nobody to say it to, at
        # the interpreter's exit either.
        _let_go_of_stdout()
        return 141
    except OSError as error:
        told = _of_the_system(error)
        _tell(told, arguments)
        return failed or told.exit_status


def _let_go_of_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _of_the_system(error: OSError) -> PyroError:
    """Give what the system refused as an error of ours: a full disk below our output, a directory that is gone, or another."""
    try:
        sys.stdout.flush()
    except OSError as refused:
        _let_go_of_stdout()  # nothing more goes there, at the interpreter's exit either
        return LimitReached(
            f"the output cannot be written: {refused.strerror}", hint="Send it to where it can."
        )
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return InvalidRequest(
            "the directory that this was started in is gone", hint="Change into one that exists."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LimitReached(
            f"what is written does not fit: {error}", hint="Free some room, or write elsewhere."
        )
    return HostUnfit(f"the system refused: {error}")


def _tell(error: PyroError, arguments: Sequence[str]) -> None:
    """Tell people on stderr; whoever asked for JSON finds the error as an object on stdout besides."""
    with suppress(OSError):  # there is nobody left to tell
        tell(error)
        own = arguments[: arguments.index("--")] if "--" in arguments else arguments
        if "--json" in own:
            hint = error.hint_for(spelt)
            told = {"code": error.code, "message": error.brief, "details": error.details, "hint": hint}
            click.echo(json.dumps({"error": told}))


def _usage_hint(error: click.ClickException, arguments: Sequence[str]) -> str:
    if isinstance(error, click.NoSuchOption) and error.option_name in _OF_TERMINALS:
        return (
            "For a terminal: pyro workspace create --name NAME, then pyro workspace attach NAME "
            "(a program: pyro workspace shell)."
        )
    return f"{_command_in(arguments)} --help shows what it takes."


def _command_in(arguments: Sequence[str]) -> str:
    """Give the command that a line begins with: click does not tell it of every line that it cannot read."""
    words, command = ["pyro"], cast(click.Command, pyro)
    for word in arguments:
        found = (
            command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        )
        if found is None:
            break
        words.append(word)
        command = found
    return " ".join(words)
