"""`pyro mcp`: the MCP server. The mcp package takes most of a second to import, so only `serve` does."""

import gc

import click

from pyro_mcp.cli.commands.mcp_hosts import check, connect
from pyro_mcp.cli.groups import SpellingGroup
from pyro_mcp.operations.catalogue import PROFILES
from pyro_mcp.operations.client import create_server
from pyro_mcp.operations.declare import Profile

# What is under way when the host goes is small or can be taken up again; a host that waits for our end is not kept waiting.
_LINGER_SECONDS = 3.0


@click.group(cls=SpellingGroup)
def mcp() -> None:
    """The MCP server for chat hosts.

    \b
    pyro mcp connect claude-code
    pyro mcp check claude-code
    """


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
@click.option(
    "--transport",
    type=click.Choice(["stdio", "http"]),
    default="stdio",
    show_default=True,
    help="stdio: one host starts this server and speaks to it. http: any number speak to it over the network.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="http: address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="http: 0 takes a free one."
)
@click.option(
    "--token-file",
    metavar="FILE",
    help="http: file with the token that requests must bring, made if need be. Without it, one is told on stderr.",
)
@click.option(
    "--allow-origin",
    "origins",
    metavar="ORIGIN",
    multiple=True,
    help="http: web page that may speak with this server, such as http://localhost:6274; repeatable.",
)
def serve(
    profile: Profile,
    host_roots: tuple[str, ...],
    transport: str,
    host: str,
    port: int,
    token_file: str | None,
    origins: tuple[str, ...],
) -> None:
    """Serve MCP on standard input and output until the input ends, or over HTTP until it is stopped.

    Over HTTP every request must bring the token (Authorization: Bearer …), and paths of this computer are refused unless
    there is a --host-root.

    \b
    pyro mcp connect claude-code          (makes a chat host start it)
    pyro mcp serve --profile vm-run
    pyro mcp serve --transport http --port 8321 --token-file ~/.config/pyro/token
    """
    # Importing mcp makes half a million objects that stay: looking among them for garbage is a tenth of the start.
    gc.disable()
    if transport == "stdio":
        from pyro_mcp.mcp_server.starting import put_off_what_stdio_does_without

        put_off_what_stdio_does_without()
    server = create_server(profile, host_roots=host_roots, working_directory=transport == "stdio")
    gc.freeze()
    gc.enable()
    if transport == "stdio":
        server.run(linger_seconds=_LINGER_SECONDS)
    else:
        from pyro_mcp.mcp_server.http import serve_http

        serve_http(server, host, port, token_file=token_file, origins=origins)
