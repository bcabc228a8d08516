"""`pyro workspace export`: onto this computer, or a patch to standard output."""

import tempfile
from pathlib import Path
from typing import Literal

import click

from pyro_mcp.cli.derive import arguments_of, as_json_option, quiet_option
from pyro_mcp.cli.guest_command import write_through
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text, shown
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.client import Pyro


@click.command()
@arguments_of("workspace_export")
@as_json_option
@quiet_option
def export(
    format: Literal["files", "patch", "branch"],
    output_path: str | None,
    as_json: bool,
    quiet: bool,
    **arguments: object,
) -> None:
    """Copy files, a patch or a git branch to the host, to hand over results.

    \b
    pyro workspace export fix-123 dist --output ./dist
    pyro workspace export fix-123 --format patch --output fix.patch
    pyro workspace export fix-123 --format patch --output - | git apply
    pyro workspace export fix-123 --format branch --branch-name fix-123
    """
    wanted = {"format": format, **arguments}
    if output_path == "-":
        if format != "patch" or as_json:
            raise InvalidRequest(
                "--output - is standard output, where only a patch goes, without --json",
                hint="Give --format patch, or name a file or directory.",
            )
        write_through("stdout", _patch(quiet, wanted))
        return
    with shown_progress(quiet=quiet):
        done = Pyro().workspace.export(output_path=output_path, **wanted)  # type: ignore[arg-type]  # as declared
    click.echo(json_text(done) if as_json else shown("workspace_export", done))


def _patch(quiet: bool, wanted: dict[str, object]) -> bytes:
    """Export by way of a file of our own, so that what an export refuses is refused here, too."""
    with tempfile.TemporaryDirectory(prefix="pyro-") as scratch, shown_progress(quiet=quiet):
        place = Path(scratch, "patch")
        Pyro().workspace.export(output_path=place, **wanted)  # type: ignore[arg-type]  # as declared
        return place.read_bytes()
