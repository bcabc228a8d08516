"""`pyro workspace patch apply`: the patch is given as text, a file or standard input."""

import click

from pyro_mcp.cli.commands.file import one_of
from pyro_mcp.cli.derive import arguments_of, as_json_option, quiet_option
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import json_text, shown
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.client import Pyro


@click.command()
@arguments_of("workspace_patch_apply", without=("patch", "strip"))
@click.option("--patch", help="The patch itself.")
@click.option(
    "--patch-file", metavar="FILE", help="A file of this computer that has it; - is standard input."
)
@click.option("--strip", default="auto", show_default=True, help="Leading directories to cut off paths.")
@as_json_option
@quiet_option
def apply(
    workspace: str,
    dry_run: bool,
    patch: str | None,
    patch_file: str | None,
    strip: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Apply a patch to /workspace, wholly or not at all.

    \b
    git diff | pyro workspace patch apply fix-123 --patch-file -
    pyro workspace patch apply fix-123 --patch-file fix.patch --dry-run
    """
    if strip != "auto" and not strip.isdecimal():
        raise InvalidRequest(f"strip {strip!r} is neither a number nor auto", hint="--strip 1")
    text = one_of(patch, patch_file, "--patch").decode(errors="surrogateescape")
    with shown_progress(quiet=quiet):
        report = Pyro().workspace.patch.apply(
            workspace, text, dry_run=dry_run, strip="auto" if strip == "auto" else int(strip)
        )
    click.echo(json_text(report) if as_json else shown("workspace_patch_apply", report))
