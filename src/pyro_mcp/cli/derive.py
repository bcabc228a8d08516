"""Commands read off operations: their arguments for all of them, and the whole command where it is "call, then print"."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin

import click

from pyro_mcp.cli.completion import COMPLETIONS
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import aside, ids_of, json_text, shown
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.catalogue import operation_named
from pyro_mcp.operations.client import Pyro
from pyro_mcp.operations.declare import Operation, Parameter

Function = TypeVar("Function", bound=Callable[..., object])

# Arguments that stand without an option's name, by the contract; a filter of a list does not.
_POSITIONAL = frozenset(
    {
        "workspace",
        "workspaces",
        "environment",
        "path",
        "source_path",
        "snapshot",
        "exec_id",
        "output_id",
        "service",
        "shell_id",
    }
)
_SHORT = {"env": "-e"}
# Options that the contract spells in another way than the argument.
_SPELT = {"from_snapshot": "from", "to_snapshot": "to", "output_path": "output", "published_ports": "publish"}
# Where the declaration says which tool's answer has it, people are told which command's.
_FROM_COMMANDS = {
    "exec_id": "out-…, as `exec` or `status` told it.",
    "output_id": "out-…, as the command's last line told it.",
    "shell_id": "sh-…, as `shell open` or `shell list` told it.",
    "service": "Its name: a-z, 0-9 and -.",
}
_SCALARS = {str: click.STRING, int: click.INT, float: click.FLOAT}

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
id_only_option = click.option("--id-only", is_flag=True, help="Print the id alone.")


def arguments_of(name: str, *, without: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Give a hand-written command the arguments of an operation, but those it reads in its own way."""
    declared = operation_named(name)
    wanted = [item for item in declared.parameters if item.name not in without]

    def decorate(function: Function) -> Function:
        for parameter in reversed(wanted):
            function = _decorator(parameter, positional=is_positional(declared, parameter))(function)
        return function

    return decorate


def derived(name: str) -> click.Command:
    """Make the whole command of an operation: call it, print the answer for people or as JSON."""
    return command_of(operation_named(name))


def command_of(declared: Operation) -> click.Command:
    """Make the whole command of an operation."""

    def call(as_json: bool, quiet: bool, id_only: bool = False, **arguments: object) -> int:
        with shown_progress(quiet=quiet):
            answer = declared.call(Pyro(), **arguments)
        if id_only:
            click.echo("\n".join(ids_of(answer)))
        elif as_json:
            click.echo(json_text(answer, declared.plural))
        elif text := shown(declared.name, answer):
            click.echo(text)
        if not (as_json or quiet) and (note := aside(declared.name, answer)):
            click.echo(f"pyro: {note}", err=True)
        return 0

    function = quiet_option(call)
    if declared.name in ("workspace_create", "shell_open"):
        function = id_only_option(function)
    command = click.command(declared.cli[-1], help=_help(declared))
    return command(arguments_of(declared.name)(as_json_option(function)))


def _help(declared: Operation) -> str:
    from pyro_mcp.cli.examples import EXAMPLES  # read by people only

    example = EXAMPLES.get(declared.name)
    return f"{declared.description}\n\n\b\n{example}" if example else declared.description


def is_positional(declared: Operation, parameter: Parameter) -> bool:
    """Whether an argument stands on the command line without the name of an option."""
    if parameter.name not in _POSITIONAL:
        return False
    return declared.name != "workspace_list"  # there, they filter


def _decorator(parameter: Parameter, *, positional: bool) -> Callable[[Function], Function]:
    kind = get_origin(parameter.type)
    if positional:
        return _argument(parameter, many=kind is Sequence)
    if kind is Mapping:
        metavar, read = _MAPPINGS.get(parameter.name, ("K=V", _pairs))
        return _option(parameter, metavar=metavar, multiple=True, default=None, callback=read)
    if kind is Sequence and get_args(parameter.type) == (str,):
        return _option(parameter, multiple=True, default=None)
    if kind is Literal:
        return _option(parameter, type=click.Choice(get_args(parameter.type)))
    if parameter.type is bool and parameter.default is not False:
        (name,) = option_names(parameter)
        return _option(parameter, names=[f"{name}/--no-{name.removeprefix('--')}"], is_flag=True)
    if parameter.type is bool:
        return _option(parameter, is_flag=True)
    if isinstance(parameter.type, type) and parameter.type in _SCALARS:
        return _option(parameter, type=_SCALARS[parameter.type])
    raise TypeError(f"no option is derived from {parameter.type}: write this command by hand")


def _argument(parameter: Parameter, *, many: bool) -> Callable[[Function], Function]:
    facts: dict[str, Any] = {"shell_complete": COMPLETIONS.get(parameter.name)}
    text = _FROM_COMMANDS.get(parameter.name, parameter.argument.text)
    if many:
        name = f"{parameter.name.removesuffix('s').upper()}..."
        return click.argument(
            parameter.name, metavar=name, nargs=-1, required=parameter.required, help=text, **facts
        )
    told = _default(parameter)
    text += f"  [default: {told['default']}]" if told.get("default") else ""
    if parameter.name == "environment":
        facts["callback"] = _no_path
    return click.argument(parameter.name, help=text, **facts, **told)


def _option(
    parameter: Parameter, names: Sequence[str] | None = None, **facts: Any
) -> Callable[[Function], Function]:
    text = f"{parameter.argument.text} Repeatable." if facts.get("multiple") else parameter.argument.text
    told = {**_default(parameter), **facts}
    told["show_default"] = told.get("default") is not None and told["default"] is not False
    text += f"  [default: {parameter.argument.unset}]" if parameter.argument.unset else ""
    return click.option(*(names or option_names(parameter)), parameter.name, help=text, **told)


def _default(parameter: Parameter) -> dict[str, Any]:
    """For click a default of None is a default."""
    return {"required": True} if parameter.required else {"required": False, "default": parameter.default}


def option_names(parameter: Parameter) -> list[str]:
    """How the contract spells an argument as an option: what can be given more than once, in the singular."""
    name = _SPELT.get(parameter.name, parameter.name)
    if get_origin(parameter.type) in (Mapping, Sequence) and parameter.name != "command":
        name = name.removesuffix("s")
    short = _SHORT.get(parameter.name)
    return [*filter(None, [short]), f"--{name.replace('_', '-')}"]


def _no_path(_: click.Context, __: click.Parameter, given: str) -> str:
    """Tell whoever gives a directory where an environment stands what it is that takes one."""
    if not os.path.exists(given) or _is_environment(given):  # noqa: PTH110 - of any text, too long ones too
        return given
    raise InvalidRequest(
        f"{given} is a path of this computer, not an environment", hint=f"Did you mean --seed-path {given}?"
    )


def _is_environment(name: str) -> bool:
    return name in {item.name for item in Pyro().environments()}


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


def _secrets(_: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """A name alone is taken from our own environment, so that the value stands in no command line."""
    found = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals and name not in os.environ:
            raise InvalidRequest(
                f"{option.opts[-1]} {name}: there is no such variable",
                hint=f"Set {name} in the environment, or give {option.opts[-1]}-file {name}=PATH.",
            )
        found[name] = value if equals else os.environ[name]
    return found


def _variables(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """A secret's name alone is the variable's name too."""
    pairs = [item.partition("=") for item in given]
    return {name: variable or name for name, _, variable in pairs}


# What stands before and after the = where that is not any key and value, and how it is read.
_MAPPINGS: Mapping[
    str, tuple[str, Callable[[click.Context, click.Parameter, tuple[str, ...]], dict[str, str]]]
] = {
    "secrets": ("NAME[=VALUE]", _secrets),
    "secret_files": ("NAME=PATH", _pairs),
    "secret_env": ("NAME[=VARIABLE]", _variables),
}
