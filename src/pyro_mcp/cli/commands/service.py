"""`pyro workspace service start`: its command stands after `--`, its readiness is one of four options."""

import click

from pyro_mcp.cli.derive import arguments_of, as_json_option, quiet_option
from pyro_mcp.cli.guest_command import (
    CommandAfterDashes,
    after_dashes,
    interrupted_by_ctrl_c,
    words_after_dashes,
)
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text, shown
from pyro_mcp.host.interruption import interruptible
from pyro_mcp.models.service import ReadinessChoice
from pyro_mcp.operations.client import Pyro


@click.command("start", cls=CommandAfterDashes)
@arguments_of("service_start", without=("command", "readiness"))
@click.option("--ready-file", metavar="PATH", default="", help="Ready once it has written this file.")
@click.option(
    "--ready-tcp", metavar="PORT", type=int, default=0, help="Ready once the port takes connections."
)
@click.option(
    "--ready-http", metavar="URL", default="", help="Ready once a GET gives a status from 200 to 399."
)
@click.option("--ready-command", metavar="COMMAND", default="", help="Ready once `sh -c COMMAND` succeeds.")
@after_dashes
@as_json_option
@quiet_option
@click.pass_context
def start(
    ctx: click.Context,
    /,
    workspace: str,
    service: str,
    excess: tuple[str, ...],
    ready_file: str,
    ready_tcp: int,
    ready_http: str,
    ready_command: str,
    as_json: bool,
    quiet: bool,
    **arguments: object,
) -> None:
    """Start a server or other long-running command, and wait until it is ready.

    \b
    pyro workspace service start fix-123 web --ready-http http://localhost:8000/ -- python3 -m http.server 8000
    pyro workspace service start fix-123 db --ready-file /run/db.pid --ready-timeout-seconds 60 -- ./run-db
    pyro workspace service start fix-123 web --ready-tcp 8000 --publish 0:8000 -- python3 -m http.server 8000

    Without a --ready option it is ready when it still runs after --ready-interval-ms. One that ends first, or is not ready in
    time, is an error with its last lines. It goes on when this command ends; Ctrl-C before it is ready ends it.
    """
    command = words_after_dashes(
        f"pyro workspace service start {workspace} {service}", "WORKSPACE and SERVICE", excess, ctx.obj
    )
    choice = ReadinessChoice(ready_file, ready_tcp, ready_http, ready_command)
    with shown_progress(quiet=quiet), interruptible() as interruption, interrupted_by_ctrl_c(interruption):
        started = Pyro().workspace.service.start(
            workspace,
            service,
            command,
            readiness=choice if choice != ReadinessChoice() else None,
            **arguments,  # type: ignore[arg-type]  # as declared
        )
    click.echo(json_text(started) if as_json else shown("service_start", started))
