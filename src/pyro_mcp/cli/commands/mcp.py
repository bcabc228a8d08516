"""`pyro mcp`: the MCP server. The mcp package takes most of a second to import, so only `serve` does."""

import gc

import click

from pyro_mcp.cli.commands.mcp_hosts import check, connect
from pyro_mcp.cli.groups import SpellingGroup
from pyro_mcp.operations.catalogue import PROFILES
from pyro_mcp.operations.client import create_server
from pyro_mcp.operations.declare import Profile


@click.group(cls=SpellingGroup)
def mcp() -> None:
    """The MCP server for chat hosts."""


mcp.add_command(connect)
mcp.add_command(check)


@mcp.command()
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="workspace-full",
    show_default=True,
    help="How much of pyro to offer; a smaller one costs a model less to read.",
)
@click.option(
    "--host-root",
    "host_roots",
    metavar="DIR",
    multiple=True,
    help="Directory of this computer that callers may name in paths; repeatable. Without it, the working directory, "
    "unless that is / or the home directory.",
)
def serve(profile: Profile, host_roots: tuple[str, ...]) -> None:
    """Serve MCP on standard input and output until the input ends.

    \b
    claude mcp add pyro -- pyro mcp serve --profile vm-run
    """
    # Importing mcp makes half a million objects that stay: looking among them for garbage is a tenth of the start.
    gc.disable()
    server = create_server(profile, host_roots=host_roots)
    gc.freeze()
    gc.enable()
    server.run()
