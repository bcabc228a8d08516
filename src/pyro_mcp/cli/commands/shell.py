"""`pyro workspace shell read`: the text alone on stdout; a wait that nothing came of is told on stderr."""

import click

from pyro_mcp.cli.derive import arguments_of, as_json_option, quiet_option
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text, shown
from pyro_mcp.mcp_server.texts.shell import standing
from pyro_mcp.operations.client import Pyro


@click.command()
@arguments_of("shell_read")
@as_json_option
@quiet_option
def read(as_json: bool, quiet: bool, timeout_seconds: float, **arguments: object) -> None:
    """Read a shell as a person would, after the first of its waits comes true.

    \b
    pyro workspace shell read fix-123 sh-1 --wait-for-prompt --timeout-seconds 60
    pyro workspace shell read fix-123 sh-1 --wait-for-pattern '^Listening on'
    pyro workspace shell read fix-123 sh-1 --view screen

    A wait that times out is no failure: what there is gets printed, the exit status is 0, and stderr says so.
    """
    with shown_progress(quiet=quiet):
        found = Pyro().workspace.shell.read(timeout_seconds=timeout_seconds, **arguments)  # type: ignore[arg-type]  # as declared
    if as_json:
        click.echo(json_text(found))
        return
    if text := shown("shell_read", found):
        click.echo(text)
    if found.waited == "timeout":
        click.echo(f"pyro: waited {timeout_seconds:g} s in vain; {standing(found)}", err=True)
