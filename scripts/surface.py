"""Write the public surface down (tests/contract/surface.json), or check that what is written is what there is.

A change of the surface then shows as a change of that file, to be read by whoever reviews it.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import click

from pyro_mcp import PyroError, errors
from pyro_mcp.cli.main import pyro
from pyro_mcp.mcp_server.schema import Schema, input_schema, output_schema
from pyro_mcp.operations.catalogue import PROFILES, all_operations, operations_in
from pyro_mcp.operations.declare import Operation, Profile

WRITTEN = Path(__file__).parents[1] / "tests" / "contract" / "surface.json"


def surface() -> Schema:
    """The whole public surface as one JSON value."""
    return {
        "errors": {error.code: error.exit_status for error in all_errors()},
        "profiles": {
            profile: [operation.name for operation in operations_in(profile)] for profile in PROFILES
        },
        "operations": {operation.name: _operation(operation) for operation in all_operations()},
        "commands": {
            context.command_path: [*_positionals(command, context), *_options(command)]
            for command, context in all_commands(pyro, click.Context(pyro, info_name="pyro"))
        },
    }


def text() -> str:
    """The surface as it is written to the file."""
    return json.dumps(surface(), indent=2, ensure_ascii=False) + "\n"


def all_errors() -> list[type[PyroError]]:
    """Every class of error that a user may meet."""
    found = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, PyroError)
    ]
    return [error for error in found if error is not PyroError]


def _operation(operation: Operation) -> Schema:
    return {
        "description": operation.description,
        "effect": operation.effect,
        "cli": "pyro " + " ".join(operation.cli),
        "sdk": ".".join(
            filter(None, ("pyro", operation.noun, f"{operation.method.__name__}{_signature(operation)}"))
        ),
        "input": input_schema(operation, "workspace-full"),
        "withheld": {
            profile: _withheld(operation, profile) for profile in PROFILES if _withheld(operation, profile)
        },
        "output": output_schema(operation, "workspace-full"),
    }


def _withheld(operation: Operation, profile: Profile) -> list[str]:
    """The arguments that a narrower profile of the operation's does not offer."""
    offered = operation.parameters_in(profile)
    return [
        item.name for item in operation.parameters if item not in offered and profile in operation.profiles
    ]


def _signature(operation: Operation) -> inspect.Signature:
    """The method's signature as a caller meets it, without what the annotations add to the types."""
    signature = inspect.signature(operation.method)
    _, *given = signature.parameters.values()
    return signature.replace(parameters=[item.replace(annotation=_bare(item.annotation)) for item in given])


def _bare(annotation: object) -> object:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def all_commands(
    group: click.Group, context: click.Context, **settings: Any
) -> Iterator[tuple[click.Command, click.Context]]:
    """Each command below a group with its context, in the order of the help; `settings` go to each context."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, **settings)
        if isinstance(command, click.Group):
            yield from all_commands(command, inner, **settings)
        else:
            yield command, inner


def _positionals(command: click.Command, context: click.Context) -> list[str]:
    return [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]


def _options(command: click.Command) -> list[str]:
    options = [item for item in command.params if isinstance(item, click.Option)]
    return ["/".join([*item.opts, *item.secondary_opts]) for item in options]


def main() -> int:
    """Write or check; the exit status tells whether all is well."""
    return keep({WRITTEN: text()}, __doc__)


def keep(files: Mapping[Path, str], what: str | None) -> int:
    """Write generated files, or check them, as the command line says; 1 when one is out of date."""
    parser = argparse.ArgumentParser(description=what)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true", help="fail when a file is out of date")
    choice.add_argument("--write", action="store_true", help="write the files")
    if parser.parse_args().write:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return 0
    stale = [path.name for path, content in files.items() if not _is_written(path, content)]
    if stale:
        told = f"{', '.join(stale)}: not what there is; run `make generated`, and read the difference"
        print(told, file=sys.stderr)
    return 1 if stale else 0


def _is_written(path: Path, content: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == content


if __name__ == "__main__":
    sys.exit(main())
