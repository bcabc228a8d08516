"""The `pyro` command: its names, and the one translation of errors. A command's module loads when the command runs."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

import click

from pyro_mcp.cli.groups import SpellingGroup, load
from pyro_mcp.errors import InvalidRequest, PyroError
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
        "Tell whether this host can run machines, and what mends it.",
    ),
    "demo": ("pyro_mcp.cli.commands.demo:demo", "Take a short tour on real machines."),
}


_COMMANDS_OWN = (
    "the command's own; 128+n when signal n ended it, 124 out of time, 125 when pyro itself failed"
)
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
    _leave(run_cli(sys.argv[1:] if arguments is None else list(arguments)))


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
            answer = pyro.main(arguments, prog_name="pyro", standalone_mode=False)
        sys.stdout.flush()
        return answer if isinstance(answer, int) else 0
    except PyroError as error:
        _tell(error, arguments)
        return failed or error.exit_status
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        _tell(InvalidRequest(error.format_message(), hint=_usage_hint(error)), arguments)
        return failed or 2
    except (KeyboardInterrupt, click.Abort):
        return 130
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has gone (click makes a SystemExit of it): nothing to say, and nobody to say it to, at
        # the interpreter's exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141


def _tell(error: PyroError, arguments: Sequence[str]) -> None:
    """Tell people on stderr; whoever asked for JSON finds the error as an object on stdout besides."""
    click.echo(f"error: {error.brief}", err=True)
    if error.details:
        click.echo("\n".join(f"  {line}" for line in error.details.splitlines()), err=True)
    hint = error.hint_for(_spelt)
    click.echo(f"hint: {hint}", err=True)
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" in own:
        told = {"code": error.code, "message": error.brief, "details": error.details, "hint": hint}
        click.echo(json.dumps({"error": told}))


def _spelt(name: str, value: str | None) -> str:
    """What a hint names, as one types it."""
    from pyro_mcp.cli.derive import option_names  # read by whoever has made a mistake
    from pyro_mcp.operations.catalogue import all_operations

    if name == "command":
        return "what stands after --"
    for operation in all_operations():
        if operation.name == name:
            return f"pyro {' '.join(operation.cli)}"
    parameters = (item for operation in all_operations() for item in operation.parameters)
    option = next((option_names(item)[-1] for item in parameters if item.name == name), name)
    return option if value in (None, "true") else f"{option} {value}"


def _usage_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{context.command_path if context else 'pyro'} --help shows what it takes."
