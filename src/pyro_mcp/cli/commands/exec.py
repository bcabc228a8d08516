"""`pyro workspace exec`: live output, input passed through, and the command's own exit status."""

import click

from pyro_mcp.cli.derive import arguments_of, as_json_option
from pyro_mcp.cli.guest_command import (
    CommandAfterDashes,
    after_dashes,
    attended,
    exit_status,
    own_input,
    words_after_dashes,
    write_through,
)
from pyro_mcp.cli.render.answers import json_text
from pyro_mcp.cli.render.workspace import exec_summary
from pyro_mcp.models.workspace import ExecResult
from pyro_mcp.operations.client import Pyro

# The machine died while the command ran: pyro, not the command, has failed.
_FAILED = 125


@click.command("exec", cls=CommandAfterDashes)
@arguments_of("workspace_exec", without=("command", "stdin"))
@after_dashes
@as_json_option
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary line on stderr.")
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
    """
    command = words_after_dashes(f"pyro workspace exec {workspace}", "WORKSPACE", excess, ctx.obj)
    with attended(quiet=quiet):
        result = Pyro().workspace.exec(
            workspace,
            command,
            stdin=own_input(),
            on_output=None if as_json else write_through,
            **arguments,  # type: ignore[arg-type]  # as declared
        )
    if as_json:
        click.echo(json_text(result))
    elif not quiet or result.outcome in ("running", "unknown"):
        click.echo(exec_summary(result, workspace), err=True)
    return _status(result)


def _status(result: ExecResult) -> int:
    if result.outcome == "running":
        return 0
    return _FAILED if result.outcome == "unknown" else exit_status(result)
