"""`pyro mcp connect` and `pyro mcp check`: the two sides of a chat host's configuration."""

import difflib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from pyro_mcp.chat_hosts.connect import Change, Wanted, printed, rendered
from pyro_mcp.chat_hosts.connect import connect as connect_host
from pyro_mcp.chat_hosts.connect import disconnect as disconnect_host
from pyro_mcp.chat_hosts.finding import surroundings
from pyro_mcp.chat_hosts.known import HOSTS, SERVER, ScopeName, Surroundings, host_named
from pyro_mcp.cli.derive import as_json_option, quiet_option
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.catalogue import PROFILES

Function = TypeVar("Function", bound=Callable[..., object])


def _place_options(function: Function) -> Function:
    """Which configuration of which host."""
    scope = click.option(
        "--scope",
        type=click.Choice(["user", "project", "local"]),
        help="user: for all your projects; project: a file in the project, for all who work on it; local: for you in "
        "this project (Claude Code). Without it, user (Cursor: project).",
    )
    config = click.option(
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The configuration file, when it is elsewhere.",
    )
    host = click.argument("host", type=click.Choice(list(HOSTS)), metavar="HOST", help=f"{', '.join(HOSTS)}.")
    return host(scope(config(function)))


@click.command()
@_place_options
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="workspace-core",
    show_default=True,
    help="How much of pyro to offer.",
)
@click.option(
    "--host-root",
    "host_roots",
    metavar="DIR",
    multiple=True,
    help="Directory of this computer that the model may name in paths; repeatable. Without it, the one that the host "
    "starts the server in: the project.",
)
@click.option(
    "--print", "only_print", is_flag=True, help="Print what belongs into the configuration; change nothing."
)
@click.option("--remove", is_flag=True, help="Take pyro out of the configuration.")
@as_json_option
def connect(
    host: str,
    scope: ScopeName | None,
    config: Path | None,
    profile: str,
    host_roots: tuple[str, ...],
    only_print: bool,
    remove: bool,
    as_json: bool,
) -> None:
    """Make a chat host start pyro: claude-code, codex, opencode, cursor, or generic with --config.

    Writes one entry and leaves the rest of the file as it is; a second time changes nothing.

    \b
    pyro mcp connect claude-code
    pyro mcp connect codex --profile workspace-full --host-root ~/src/project
    pyro mcp connect cursor --print
    pyro mcp connect opencode --remove
    """
    if only_print and (remove or as_json):
        raise InvalidRequest("--print goes with neither --remove nor --json")
    known = host_named(host)
    wanted = Wanted(profile, scope, host_roots, config)
    if only_print:
        click.echo(printed(known, wanted, _launcher(), _around()))
        return
    change = (
        disconnect_host(known, wanted, _around())
        if remove
        else connect_host(known, wanted, _launcher(), _around())
    )
    click.echo(json_text(change)) if as_json else _show(change)


@click.command()
@_place_options
@as_json_option
@quiet_option
def check(host: str, scope: ScopeName | None, config: Path | None, quiet: bool, as_json: bool) -> None:
    """Start pyro as a chat host would, list its tools, and run a command in a machine.

    \b
    pyro mcp check claude-code
    pyro mcp check cursor --scope user --json
    """
    from pyro_mcp.chat_hosts.check import Checked
    from pyro_mcp.chat_hosts.check import check as check_server
    from pyro_mcp.chat_hosts.starting import what_would_start

    def shown(found: Checked) -> str:
        walls = f"isolation {found.isolation}, confinement {found.confinement}"
        facts = {
            "configuration": str(found.config),
            "command": " ".join(found.command),
            "server": f"{found.server}, ready after {found.start_ms / 1000:.1f} s",
            "tools": f"{len(found.tools)}: {', '.join(found.tools)}",
            "round trip": f"vm_run answered {found.answer!r} after {found.run_ms / 1000:.1f} s ({walls})",
        }
        lines = [f"{name + ':':<15} {fact}" for name, fact in facts.items()]
        return "\n".join([*lines, f"{host_named(host).title} can work with pyro."])

    start = what_would_start(host_named(host), Wanted("", scope, (), config), _around())
    with shown_progress(quiet=quiet):
        found = check_server(host, start)
    click.echo(json_text(found) if as_json else shown(found))


def _show(change: Change) -> None:
    host = host_named(change.host)
    before, after = (
        rendered(host, {SERVER: entry}).splitlines() if entry is not None else []
        for entry in (change.before, change.after)
    )
    if not change.changed:
        click.echo(f"{change.config}: nothing to change")
        return
    click.echo(f"{change.config} (scope {change.scope})")
    # The rest of the entry may hold what somebody added, and would not want on a screen.
    for line in list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]:
        if not line.startswith("@@"):
            click.echo(line)
    if change.after is not None and change.note:
        click.echo(change.note)
    if change.after is not None:
        click.echo(f"Restart {host.title} if it runs; pyro mcp check {change.host}{_again(change)} tries it.")


def _again(change: Change) -> str:
    return f" --config {change.config}" if change.host == "generic" else ""


def _launcher() -> Sequence[str]:
    from pyro_mcp.chat_hosts.launching import Installed, launcher

    return launcher(Installed.here())


def _around() -> Surroundings:
    return surroundings(os.environ, Path.home(), Path.cwd())
