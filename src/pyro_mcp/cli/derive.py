"""Commands read off operations: their arguments for all of them, and the whole command where it is "call, then print"."""

from collections.abc import Callable, Mapping
from typing import TypeVar, get_origin

import click

from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render import RENDERERS, json_text
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.catalogue import operation_named
from pyro_mcp.operations.client import Pyro
from pyro_mcp.operations.declare import Parameter

Function = TypeVar("Function", bound=Callable[..., object])

# Arguments that stand without an option's name where they are required, by the contract.
_POSITIONAL = ("workspace", "environment", "path", "source_path")
_SHORT = {"env": "-e"}
_SCALARS = {str: click.STRING, int: click.INT, float: click.FLOAT}

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def arguments_of(name: str, *, without: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Give a hand-written command the arguments of an operation, but those it reads in its own way."""
    wanted = [item for item in operation_named(name).parameters if item.name not in without]

    def decorate(function: Function) -> Function:
        for parameter in reversed(wanted):
            function = _decorator(parameter)(function)
        return function

    return decorate


def derived(name: str) -> click.Command:
    """Make the whole command of an operation: call it, print the answer for people or as JSON."""
    declared = operation_named(name)

    def call(as_json: bool, **arguments: object) -> None:
        with shown_progress():
            answer = declared.method(Pyro(), **arguments)
        click.echo(json_text(answer, declared.plural) if as_json else RENDERERS[declared.name](answer))

    command = click.command(declared.cli[-1], help=declared.description)
    return command(arguments_of(name)(as_json_option(call)))


def _decorator(parameter: Parameter) -> Callable[[Function], Function]:
    if parameter.required and parameter.name in _POSITIONAL:
        return click.argument(parameter.name)
    names = [*filter(None, [_SHORT.get(parameter.name)]), f"--{parameter.name.replace('_', '-')}"]
    text = parameter.argument.text
    if get_origin(parameter.type) is Mapping:
        return click.option(*names, metavar="K=V", multiple=True, callback=_pairs, help=f"{text} Repeatable.")
    if parameter.type in _SCALARS:
        kind = _SCALARS[parameter.type]
        return click.option(
            *names,
            type=kind,
            default=parameter.default,
            required=parameter.required,
            show_default=True,
            help=text,
        )
    raise TypeError(f"no option is derived from {parameter.type}: write this command by hand")


def _pairs(_: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals:
            raise InvalidRequest(
                f"{option.opts[-1]} {item} has no value", hint=f"Write {option.opts[-1]} {item}=VALUE."
            )
        found[key] = value
    return found
