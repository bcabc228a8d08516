"""`pyro run`: live output, input passed through, and the command's own exit status."""

from typing import Literal

import click

from pyro_mcp.cli.derive import arguments_of, as_json_option
from pyro_mcp.cli.guest_command import (
    CommandAfterDashes,
    after_dashes,
    attended,
    exit_status,
    hint_at_a_shell,
    own_input,
    words_after_dashes,
    write_through,
)
from pyro_mcp.cli.render.answers import json_text, run_summary
from pyro_mcp.operations.client import Pyro


@click.command(cls=CommandAfterDashes)
@arguments_of("vm_run", without=("command", "stdin"))
@after_dashes
@click.option("--require-isolation", type=click.Choice(["hardware"]), help="Refuse rather than fall back.")
@click.option("--require-confinement", type=click.Choice(["full"]), help="Refuse rather than fall back.")
@as_json_option
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary line on stderr.")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    environment: str,
    excess: tuple[str, ...],
    require_isolation: Literal["hardware"] | None,
    require_confinement: Literal["full"] | None,
    as_json: bool,
    quiet: bool,
    **arguments: object,
) -> int:
    """Run one command in a throwaway Linux machine without network.

    \b
    pyro run debian:12 -- git --version
    echo hello | pyro run debian:12 -- wc -c
    pyro run debian:12-build --network-policy egress --allow-host pypi.org --allow-host files.pythonhosted.org -- pip download six

    Standard input, output and error are the command's. The exit status is its own, 128+n when signal n ended it, 124 when
    it ran out of time, 125 when pyro itself failed. Ctrl-C interrupts the command; a second one kills it.

    Standard input is read to its end, as ssh does: in a `while read` loop, give the command </dev/null. There is no terminal
    in a throwaway machine: `pyro workspace create --name NAME`, then `pyro workspace attach NAME`.
    """
    line = f"pyro run {environment}"
    command = words_after_dashes(line, "ENVIRONMENT", excess, ctx.obj)
    pyro = Pyro(require_isolation=require_isolation, require_confinement=require_confinement)
    with attended(quiet=quiet):
        result = pyro.run(
            environment,
            command,
            stdin=own_input(),
            on_output=None if as_json else write_through,
            **arguments,  # type: ignore[arg-type]  # as declared
        )
    if as_json:
        click.echo(json_text(result))
    elif not quiet:
        click.echo(run_summary(result), err=True)
        hint_at_a_shell(line, command, result)
    return exit_status(result)
