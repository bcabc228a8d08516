"""What the shell offers when somebody presses tab: names that exist. A prompt is no place for an error: none is shown."""

from collections.abc import Callable, Mapping

import click

from pyro_mcp.errors import PyroError

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _workspaces(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    from pyro_mcp.operations.client import Pyro

    try:
        found = Pyro().workspace.list()
    except PyroError:
        return []
    return [
        item.name or item.workspace_id for item in found if (item.name or item.workspace_id).startswith(typed)
    ]


def _environments(_: click.Context, __: click.Parameter, typed: str) -> list[str]:
    from pyro_mcp.operations.client import Pyro

    try:
        return [item.name for item in Pyro().environments() if item.name.startswith(typed)]
    except PyroError:
        return []


# By the argument's name.
COMPLETIONS: Mapping[str, Complete] = {
    "workspace": _workspaces,
    "workspaces": _workspaces,
    "environment": _environments,
}
