"""Write the reference (docs/reference) from the declarations, or check that what is written is what they say."""

import inspect
import sys
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

import click
from scripts.surface import all_commands, all_errors, keep

from pyro_mcp.cli.main import pyro
from pyro_mcp.operations.catalogue import PROFILES, all_operations, operations_in
from pyro_mcp.operations.declare import Operation, Parameter

_PLACE = Path(__file__).parents[1] / "docs" / "reference"
_NOTE = "Generated from the declarations by `make generated`."
_WIDTH = 100


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    return {"cli.md": _cli(), "sdk.md": _sdk(), "mcp.md": _mcp(), "errors.md": _errors()}


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", _NOTE, *parts]) + "\n"


# -- the command line -------------------------------------------------------------------------------------------------------


def _cli() -> str:
    top = click.Context(pyro, info_name="pyro", terminal_width=_WIDTH)
    found = [
        (context.command_path, command.get_help(context))
        for command, context in all_commands(pyro, top, terminal_width=_WIDTH)
    ]
    index = "\n".join(f"- [`{path}`](#{path.replace(' ', '-')})" for path, _ in found)
    return _page("The command line", index, *(f"## {path}\n\n```text\n{text}\n```" for path, text in found))


# -- the SDK ----------------------------------------------------------------------------------------------------------------


def _sdk() -> str:
    answers = _models([operation.returns for operation in all_operations()])
    return _page(
        "The Python SDK",
        "Methods take the workspace by id or name first; on a workspace's handle, which `create` answers, it is left out.",
        *(_method(operation) for operation in all_operations()),
        "## Answers\n\nAll are frozen dataclasses of `pyro_mcp.models`.",
        *(_model(model) for model in answers),
    )


def _method(operation: Operation) -> str:
    path = ".".join(filter(None, ["pyro", operation.noun, operation.method.__name__]))
    rows = [
        f"| `{item.name}` | `{_type(item.type)}` | {_default(item)} | {item.argument.text} |"
        for item in operation.parameters
    ]
    described = inspect.cleandoc(operation.method.__doc__ or "")
    return "\n\n".join(
        [
            f"## {path}",
            described,
            *_table("| argument | type | default | |", rows),
            f"Answers `{_type(operation.returns)}`.",
        ]
    )


def _models(returned: Sequence[object]) -> list[type]:
    """The models that are answered, and those in them, each once, in the order they are met."""
    found: dict[type, None] = {}

    def meet(kind: object) -> None:
        for inner in get_args(kind):
            meet(inner)
        if isinstance(kind, type) and is_dataclass(kind) and kind not in found:
            found[kind] = None
            for hint in get_type_hints(kind).values():
                meet(hint)

    for kind in returned:
        meet(kind)
    return list(found)


def _model(model: type) -> str:
    assert is_dataclass(model)
    hints = get_type_hints(model)
    rows = [
        f"| `{item.name}` | `{_type(hints[item.name])}` | {_field_default(item)} |" for item in fields(model)
    ]
    described = inspect.cleandoc(model.__doc__ or "")
    return "\n\n".join([f"### {model.__name__}", described, *_table("| field | type | default |", rows)])


def _field_default(item: "Field[object]") -> str:
    if item.default is not MISSING:
        return f"`{item.default!r}`"
    return "" if item.default_factory is MISSING else f"`{item.default_factory()!r}`"


# -- MCP --------------------------------------------------------------------------------------------------------------------


def _mcp() -> str:
    rows = [
        f"| `{operation.name}` | "
        + " | ".join("x" if operation in operations_in(p) else "" for p in PROFILES)
        + " |"
        for operation in all_operations()
    ]
    heads = " | ".join(f"`{profile}`" for profile in PROFILES)
    return _page(
        "The MCP tools",
        *_table(f"| tool | {heads} |", rows),
        *(_tool(operation) for operation in all_operations()),
    )


def _tool(operation: Operation) -> str:
    rows = [
        f"| `{item.name}` | `{_type(item.type)}` | {_default(item, through_mcp=True)} | {item.argument.text} "
        f"| {_only(operation, item)} |"
        for item in operation.parameters
    ]
    effect = {"reads": "Changes nothing.", "changes": "Changes things.", "destroys": "Destroys things."}[
        operation.effect
    ]
    return "\n\n".join(
        [
            f"## {operation.name}",
            f"{operation.description} {effect}",
            *_table("| argument | type | default | | only in |", rows),
        ]
    )


def _only(operation: Operation, item: Parameter) -> str:
    narrower = item.profiles & operation.profiles
    return "" if narrower == operation.profiles else ", ".join(sorted(narrower))


# -- errors -----------------------------------------------------------------------------------------------------------------


def _errors() -> str:
    rows = [
        f"| `{error.code}` | `{error.__name__}` | {error.exit_status} | {inspect.cleandoc(error.__doc__ or '')} |"
        for error in all_errors()
    ]
    return _page(
        "Errors",
        "Every error says what went wrong in a sentence, what is known about it, and what to do next. `run` and `exec` have the "
        "command's own exit status; when pyro itself fails, 125.",
        *_table("| code | SDK class | exit status | what it means, what to do |", rows),
    )


# -- pieces -----------------------------------------------------------------------------------------------------------------


def _table(header: str, rows: Sequence[str]) -> list[str]:
    if not rows:
        return []
    line = "|" + "---|" * (header.count("|") - 1)
    return ["\n".join([header, line, *rows])]


def _default(item: Parameter, *, through_mcp: bool = False) -> str:
    if item.required:
        return "required"
    value = (
        item.argument.through_mcp if through_mcp and item.argument.through_mcp is not None else item.default
    )
    return "" if value in (None, (), {}) else f"`{value!r}`"


def _type(kind: object) -> str:
    """A type as people write it, without what annotations add."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_type(item) for item in arguments)
    if origin is Literal:
        return ", ".join(map(repr, arguments))
    if origin is not None:
        inner = ", ".join("..." if item is Ellipsis else _type(item) for item in arguments)
        return f"{getattr(origin, '__name__', origin)}[{inner}]"
    return "None" if kind is type(None) else getattr(kind, "__name__", str(kind))


if __name__ == "__main__":
    sys.exit(keep({_PLACE / name: text for name, text in pages().items()}, __doc__))
