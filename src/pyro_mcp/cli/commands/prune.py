"""`pyro prune`: disk space. For people: what a machine needs it makes again by itself."""

import click

from pyro_mcp.cli.derive import as_json_option, quiet_option
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text
from pyro_mcp.cli.render.tables import size
from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.prune import prune as prune_all


@click.command()
@click.option(
    "--all", "everything", is_flag=True, help="All frozen machines, not only those unused for 30 days."
)
@as_json_option
@quiet_option
def prune(everything: bool, quiet: bool, as_json: bool) -> None:
    """Free the disk space that nothing uses any more.

    \b
    pyro prune
    pyro prune --all

    No workspace loses anything. Removed are environments that no current recipe or workspace uses, seeds of
    deleted workspaces, frozen machines that no start has needed for 30 days, and what crashes left.
    """
    with shown_progress(quiet=quiet):
        report = prune_all(Engine().sessions, everything=everything)
    if as_json:
        click.echo(json_text(report))
        return
    counts = {
        "environment or kit image": report.environments,
        "seed": report.seeds,
        "frozen machine": report.templates,
        "stray layer": report.layers,
    }
    told = [f"{count} {what}{'s' if count > 1 else ''}" for what, count in counts.items() if count]
    if report.freed_bytes:
        told.append(f"{size(report.freed_bytes)} freed")
    click.echo(", ".join(told) or "there is nothing to free")
    if report.left:
        click.echo(f"not looked at: {report.left}")
