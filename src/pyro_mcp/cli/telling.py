"""An error as people read it, on stderr."""

import click

from pyro_mcp.errors import PyroError


def tell(error: PyroError) -> None:
    """Say what went wrong, what is known about it, and what to do next."""
    click.echo(f"error: {error.brief}", err=True)
    if error.details:
        click.echo("\n".join(f"  {line}" for line in error.details.splitlines()), err=True)
    click.echo(f"hint: {error.hint_for(spelt)}", err=True)


def spelt(name: str, value: str | None) -> str:
    """Give what a hint names as one types it."""
    from pyro_mcp.cli.derive import option_names  # read by whoever has made a mistake
    from pyro_mcp.operations.catalogue import all_operations

    if name == "command":
        return "what stands after --"
    for operation in all_operations():
        if operation.name == name:
            return f"pyro {' '.join(operation.cli)}"
    parameters = (item for operation in all_operations() for item in operation.parameters)
    option = next((option_names(item)[-1] for item in parameters if item.name == name), name)
    return option if value in (None, "true") else f"{option} {value}"
