"""An error as people read it, on stderr."""

import click

from pyro_mcp.errors import PyroError


def tell(error: PyroError) -> None:
    """Say what went wrong, what is known about it, and what to do next."""
    click.echo(f"error: {error.brief}", err=True)
    if error.details:
        click.echo("\n".join(f"  {line}" for line in error.details.splitlines()), err=True)
    click.echo(f"hint: {error.hint}", err=True)
