"""What is wrong with an argument, in the words of JSON: a model wrote that, and knows nothing of Python's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

_LIST, _OBJECT = "a list", "an object"
# What pydantic calls a value that is of another kind than it should be.
_KINDS: Mapping[str, str] = {
    "list_type": _LIST,
    "tuple_type": _LIST,
    "sequence_str": _LIST,
    "is_instance_of": _OBJECT,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "dataclass_exact_type": _OBJECT,
    "string_type": "a string",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
}
_MOST_SHOWN = 60


def fault_in_words(name: str, error: ValidationError, schema: Mapping[str, Any]) -> str:
    """Say where in the argument called `name` the first fault is, and what belongs there; `schema` is the argument's."""
    first = error.errors(include_url=False)[0]
    kind, place = str(first["type"]), tuple(first["loc"])
    if kind == "missing":
        found = f"{_place(name, place[:-1])} has no {str(place[-1])!r}"
        return f"{found}: {_each(schema, place)}"
    if kind == "unexpected_keyword_argument":
        return (
            f"{_place(name, place[:-1])} cannot have {str(place[-1])[:_MOST_SHOWN]!r}: {_each(schema, place)}"
        )
    # Of a choice of several kinds, what each says of the value means nothing alone.
    several = "anyOf" in schema and len(error.errors(include_url=False)) > 1
    if several and (kinds := _alternatives(schema)):
        return f"{name} must be {kinds}"
    if kind in _KINDS:
        wanted = _KINDS[kind] if place else _kind_of(schema) or _KINDS[kind]
        shape = _example(schema) if wanted == _OBJECT and not place else None
        return f"{_place(name, place)} must be {wanted}" + (f" such as {shape}" if shape else "")
    said = str(first["msg"])
    return f"{_place(name, place)}: {said[:1].lower()}{said[1:]}"


def of_items(schema: Mapping[str, Any]) -> str | None:
    """The shape of a list's items, where they are objects: {"old", "new", "count"?}."""
    items = schema.get("items", {})
    return _shape(items) if items.get("properties") else None


def _shape(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    names = (f'"{name}"' + ("" if name in required else "?") for name in schema["properties"])
    return f"{{{', '.join(names)}}}"


def _each(schema: Mapping[str, Any], place: Sequence[int | str]) -> str:
    if (shape := of_items(schema)) is not None:
        return f"each is {shape}"
    return f"it is {_shape(schema)}" if schema.get("properties") else f"see {place[-1]}"


def _example(schema: Mapping[str, Any]) -> str | None:
    """An object with one of its fields, as somebody would write it."""
    if isinstance(schema.get("additionalProperties"), Mapping):
        return '{"NAME": "…"}'
    for name, field in schema.get("properties", {}).items():
        kinds = field.get("type", ())
        if kinds == "string" or "string" in kinds:
            return f'{{"{name}": "…"}}'
    return None


def _alternatives(schema: Mapping[str, Any]) -> str | None:
    told = [_kind_of(branch) for branch in schema["anyOf"] if branch != {"type": "null"}]
    return " or ".join(told) if all(told) else None


def _kind_of(schema: Mapping[str, Any]) -> str:
    if "enum" in schema or "const" in schema:
        return " or ".join(f'"{word}"' for word in schema.get("enum", [schema.get("const")]))
    kinds = {
        "array": _LIST,
        "object": _OBJECT,
        "string": "a string",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
    }
    of_strings = " of strings" if schema.get("items", {}).get("type") == "string" else ""
    return kinds.get(str(schema.get("type")), "") + of_strings


def _place(name: str, place: Sequence[int | str]) -> str:
    """As one writes it in JavaScript: edits[0].old."""
    return name + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
