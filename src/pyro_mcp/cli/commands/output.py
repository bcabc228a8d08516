"""`pyro workspace output read`: the text alone on stdout, and on stderr where more of it begins."""

import click

from pyro_mcp.cli.derive import arguments_of, as_json_option, quiet_option
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text, shown
from pyro_mcp.operations.client import Pyro


@click.command()
@arguments_of("workspace_output_read")
@as_json_option
@quiet_option
def read(as_json: bool, quiet: bool, **arguments: object) -> None:
    """Page, tail or grep the whole output of a command when an answer was cut.

    \b
    pyro workspace output read fix-123 out-4h7k2m9qxz --tail-lines 50
    pyro workspace output read fix-123 out-4h7k2m9qxz --stream stderr --grep 'error:'
    """
    with shown_progress(quiet=quiet):
        part = Pyro().workspace.output.read(**arguments)  # type: ignore[arg-type]  # as declared
    if as_json:
        click.echo(json_text(part))
        return
    if text := shown("workspace_output_read", part):
        click.echo(text)
    if part.matches is not None and part.matches != part.total_matches and not quiet:
        from pyro_mcp.mcp_server.texts.workspace import matches_text

        click.echo(f"pyro: {matches_text(part, part.matches)}", err=True)
    if part.next_offset is not None and not quiet:
        left = part.size - part.next_offset
        click.echo(f"pyro: {left} more bytes follow: --offset {part.next_offset}", err=True)
