"""`pyro workspace exec` and `exec-wait`: a command's own streams, and for `exec` its own input and exit status."""

import click

from pyro_mcp.cli.derive import arguments_of, as_json_option
from pyro_mcp.cli.guest_command import (
    CommandAfterDashes,
    after_dashes,
    attended,
    exit_status,
    hint_at_a_shell,
    own_input,
    say_what_it_wrote,
    words_after_dashes,
    write_through,
)
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text
from pyro_mcp.cli.render.workspace import exec_summary
from pyro_mcp.models.workspace import ExecResult
from pyro_mcp.operations.client import Pyro

# The machine died while the command ran: pyro, not the command, has failed.
_FAILED = 125

_quiet = click.option("-q", "--quiet", is_flag=True, help="No progress and no summary line on stderr.")


@click.command("exec", cls=CommandAfterDashes)
@arguments_of("workspace_exec", without=("command", "stdin"))
@after_dashes
@as_json_option
@_quiet
@click.pass_context
def exec_(
    ctx: click.Context,
    /,
    workspace: str,
    excess: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    **arguments: object,
) -> int:
    """Run a command in a workspace, as root.

    \b
    pyro workspace exec tidy-otter -- pytest -q
    pyro workspace exec tidy-otter -e CI=1 --cwd src -- sh -c 'make && make test'
    pyro workspace exec tidy-otter --yield-after-seconds 0 -- make all
    pyro workspace exec tidy-otter --secret-env NPM_TOKEN -- npm publish --dry-run

    Standard input, output and error are the command's. The exit status is its own, 128+n when signal n ended it, 124 when
    it ran out of time, 125 when pyro itself failed. Ctrl-C interrupts the command; a second one kills it. A command that
    still runs after --yield-after-seconds goes on: then the status is 0, and `pyro workspace exec-wait` finds it again.
    With --max-output-chars the output is printed when the command has ended, not as it comes.

    Standard input is read to its end, as ssh does: in a `while read` loop, give the command </dev/null. For a terminal there
    are `pyro workspace attach` and `pyro workspace shell`.
    """
    line = f"pyro workspace exec {workspace}"
    command = words_after_dashes(line, "WORKSPACE", excess, ctx.obj)
    at_its_end = arguments["max_output_chars"] is not None
    with attended(quiet=quiet):
        result = Pyro().workspace.exec(
            workspace,
            command,
            stdin=own_input(),
            on_output=None if as_json or at_its_end else write_through,
            **arguments,  # type: ignore[arg-type]  # as declared
        )
    if as_json:
        click.echo(json_text(result))
        return _status(result)
    if at_its_end:
        say_what_it_wrote(result)
    _say_how_it_stands(result, workspace, quiet=quiet)
    if not quiet:
        hint_at_a_shell(line, command, result)
    return _status(result)


@click.command("exec-wait")
@arguments_of("workspace_exec_wait")
@as_json_option
@_quiet
def exec_wait(workspace: str, as_json: bool, quiet: bool, **arguments: object) -> None:
    """Wait for a command that still runs, poll it, interrupt it or kill it.

    \b
    pyro workspace exec-wait fix-123 out-4h7k2m9qxz --wait-seconds 60
    pyro workspace exec-wait fix-123 out-4h7k2m9qxz --action kill

    Prints everything the command has written so far, stdout and stderr each to its own stream. The exit status is not the
    command's: it is 0 whether the command still runs, succeeded or failed; the last line, or --json, tells which.
    """
    with shown_progress(quiet=quiet):
        result = Pyro().workspace.exec_wait(workspace, **arguments)  # type: ignore[arg-type]  # as declared
    if as_json:
        click.echo(json_text(result))
    else:
        say_what_it_wrote(result)
        _say_how_it_stands(result, workspace, quiet=quiet)


def _say_how_it_stands(result: ExecResult, workspace: str, *, quiet: bool) -> None:
    """The line after the output. What has not ended is told to those as well who want no words about what has."""
    if not quiet or result.outcome in ("running", "unknown"):
        click.echo(exec_summary(result, workspace), err=True)


def _status(result: ExecResult) -> int:
    if result.outcome == "running":
        return 0
    return _FAILED if result.outcome == "unknown" else exit_status(result)
