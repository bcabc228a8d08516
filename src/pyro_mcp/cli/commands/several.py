"""`pyro workspace list|fork|delete`: what is done with several workspaces at once, each with an outcome of its own."""

import json
from collections.abc import Sequence

import click

from pyro_mcp.cli.completion import COMPLETIONS
from pyro_mcp.cli.derive import arguments_of, as_json_option, id_only_option, quiet_option
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import ids_of, json_text, shown
from pyro_mcp.cli.telling import spelt, tell
from pyro_mcp.errors import PyroError, exit_status_of
from pyro_mcp.models.encoding import JsonObject, as_object
from pyro_mcp.operations.client import Pyro


@click.command("list")
@arguments_of("workspace_list")
@as_json_option
@quiet_option
def list_(as_json: bool, quiet: bool, **filters: object) -> None:
    """List workspaces, newest activity first. Use it to find one again.

    \b
    pyro workspace list --label team=web --state running
    """
    with shown_progress(quiet=quiet):
        found = Pyro().workspace.list(**filters)  # type: ignore[arg-type]  # as declared
    if as_json:
        click.echo(json_text(found, "workspaces"))
    elif not found and any(filters[name] for name in ("labels", "state", "environment")):
        click.echo("no workspace is like that; all of them: pyro workspace list")
    else:
        click.echo(shown("workspace_list", found))


@click.command()
@arguments_of("workspace_fork")
@as_json_option
@id_only_option
@quiet_option
def fork(as_json: bool, id_only: bool, quiet: bool, **arguments: object) -> int:
    """Make independent copies of a workspace, from now or from a snapshot; each has an outcome of its own.

    \b
    pyro workspace fork fix-123 --count 2 --name try-a --name try-b --from tests-green
    """
    with shown_progress(quiet=quiet):
        outcomes = Pyro().workspace.fork(**arguments)  # type: ignore[arg-type]  # as declared
    if as_json:
        click.echo(json_text(outcomes, "forks"))
    elif made := [outcome for outcome in outcomes if outcome.workspace]:
        click.echo("\n".join(ids_of(made)) if id_only else shown("workspace_fork", made))
    for failed in (outcome for outcome in outcomes if not outcome.workspace):
        click.echo(f"error: not forked: {failed.error}\nhint: {failed.hint}", err=True)
    return next((exit_status_of(outcome.code) for outcome in outcomes if outcome.code), 0)


@click.command()
@click.argument(
    "workspace",
    metavar="WORKSPACE...",
    nargs=-1,
    required=True,
    help="Ids or names.",
    shell_complete=COMPLETIONS["workspace"],
)
@as_json_option
@quiet_option
def delete(workspace: tuple[str, ...], as_json: bool, quiet: bool) -> int:
    """Delete a workspace with everything in it.

    \b
    pyro workspace delete fix-123
    pyro workspace delete try-a try-b try-c

    Given several, deletes every one it can; the exit status is that of the first that failed. With --json they stand under
    "workspaces", in the order given.
    """
    if len(workspace) == 1:
        with shown_progress(quiet=quiet):
            gone = Pyro().workspace.delete(workspace[0])
        click.echo(json_text(gone) if as_json else shown("workspace_delete", gone))
        return 0
    return _delete_each(workspace, as_json=as_json, quiet=quiet)


def _delete_each(names: Sequence[str], *, as_json: bool, quiet: bool) -> int:
    told: list[JsonObject] = []
    status = 0
    with shown_progress(quiet=quiet), Pyro() as pyro:
        for name in names:
            try:
                gone = pyro.workspace.delete(name)
            except PyroError as error:
                status = status or error.exit_status
                told.append(
                    {
                        "workspace": name,
                        "error": error.brief,
                        "code": error.code,
                        "hint": error.hint_for(spelt),
                    }
                )
                tell(error)
                continue
            told.append(as_object(gone))
            if not as_json:
                click.echo(shown("workspace_delete", gone))
    if as_json:
        click.echo(json.dumps({"workspaces": told}))
    return status
