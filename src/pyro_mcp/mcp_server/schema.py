"""Operations as JSON Schema: closed, and as short as they can be, for a model reads every character of every tool."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.mcp_server.faults import fault_in_words, of_items
from pyro_mcp.models.narrowing import only_full_names
from pyro_mcp.operations.declare import Operation, Parameter, Profile

# JSON Schema is by nature a tree of anything; it is built here, handed to the SDK, and read by nobody else.
Schema = dict[str, Any]


def input_schema(operation: Operation, profile: Profile) -> Schema:
    """What a tool takes in this profile."""
    offered = operation.parameters_in(profile)
    required = [parameter.name for parameter in offered if parameter.required]
    return {
        "type": "object",
        "properties": {parameter.name: _property(parameter) for parameter in offered},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def output_schema(operation: Operation, profile: Profile = "workspace-full") -> Schema:
    """What a tool's structured content looks like in this profile."""
    schema = _compact(_adapter(operation.returns).json_schema(mode="serialization"))
    if profile != "workspace-full":
        schema = _used(_without(schema, only_full_names(operation.returns)))
    if operation.plural is None:
        return schema
    definitions = {"$defs": schema.pop("$defs")} if "$defs" in schema else {}
    return {
        "type": "object",
        "properties": {operation.plural: schema},
        "required": [operation.plural],
        **definitions,
    }


def _used(schema: Schema) -> Schema:
    """Leave out the definitions that nothing refers to any more."""
    definitions = schema.pop("$defs", {})
    while True:
        said = str([schema, definitions])
        used = {name: item for name, item in definitions.items() if f"'#/$defs/{name}'" in said}
        if used == definitions:
            return {**schema, **({"$defs": used} if used else {})}
        definitions = used


def arguments_from(operation: Operation, profile: Profile, given: Mapping[str, object]) -> dict[str, object]:
    """Read a tool call's arguments; raises InvalidRequest that names what is wrong, and the near name of an unknown one."""
    offered = {parameter.name: parameter for parameter in operation.parameters_in(profile)}
    missing = [name for name, parameter in offered.items() if parameter.required and name not in given]
    for name in given:
        if name not in offered:
            raise InvalidRequest(
                f"{operation.name} has no argument {name!r}", hint=_meant(name, offered, missing)
            )
    if missing:
        raise InvalidRequest(f"{operation.name} needs {' and '.join(missing)}", hint=_texts(offered, missing))
    # null for an optional argument is how some models say "not given".
    meant = {name: value for name, value in given.items() if value is not None or offered[name].required}
    unsaid = {
        name: parameter.argument.through_mcp
        for name, parameter in offered.items()
        if name not in meant and parameter.argument.through_mcp is not None
    }
    return {**unsaid, **{name: _value(offered[name], value) for name, value in meant.items()}}


def _value(parameter: Parameter, given: object) -> object:
    try:
        return _adapter(parameter.type).validate_python(given)
    except ValidationError as error:
        raise InvalidRequest(
            fault_in_words(parameter.name, error, _property(parameter)),
            hint=f"{parameter.name}: {parameter.argument.text}",
        ) from None


def _meant(name: str, offered: Mapping[str, Parameter], missing: list[str]) -> str:
    """What somebody may have meant by an argument that is not there: one that is missing, rather than any."""
    near = get_close_matches(name, missing, n=1) or get_close_matches(name, offered, n=1)
    lacking = [wanted for wanted in missing if wanted not in near]
    if near:
        return f"Did you mean {near[0]}?"
    if lacking:
        return f"It needs {_texts(offered, lacking)}"
    return f"It takes: {', '.join(offered) or 'nothing'}."


def _texts(offered: Mapping[str, Parameter], names: list[str]) -> str:
    return " ".join(_told(name, offered[name]) for name in names)


def _told(name: str, parameter: Parameter) -> str:
    shape = of_items(_property(parameter))
    return f"{name}: {parameter.argument.text}" + (f" Each is {shape}." if shape else "")


def _property(parameter: Parameter) -> Schema:
    schema = _inlined(_compact(_adapter(parameter.type).json_schema()))
    schema |= parameter.argument.json_schema()
    default = parameter.argument.through_mcp or parameter.default
    if not parameter.required and default not in (None, (), {}, False):
        schema["default"] = default
    return schema


@cache
def _adapter(taken: Any) -> TypeAdapter[object]:
    return TypeAdapter(taken)


def _compact(schema: Schema) -> Schema:
    """Leave out titles, defaults and class docstrings, and say "or null" in the shortest way."""
    kept: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):  # names of ours, not keywords
            kept[key] = {name: _compact(item) for name, item in value.items()}
        elif key not in ("title", "default", "description"):
            kept[key] = _compact_value(value)
    return _without_null_branch(kept)


def _inlined(schema: Schema) -> Schema:
    """Put definitions where they are used: a reference would lead out of the argument's own schema."""
    definitions = schema.pop("$defs", {})

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(item) for item in value]
        if not isinstance(value, dict):
            return value
        if reference := value.get("$ref"):
            return put(definitions[reference.rpartition("/")[2]])
        return {key: put(item) for key, item in value.items()}

    inlined: Schema = put(schema)
    return inlined


def _without(schema: Any, names: Collection[str]) -> Any:
    """A schema whose objects, at any depth, have no properties of these names."""
    if isinstance(schema, list):
        return [_without(item, names) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _without(item, names) for key, item in schema.items()}
    if isinstance(schema.get("properties"), dict):
        kept["properties"] = {key: item for key, item in kept["properties"].items() if key not in names}
        kept["required"] = [name for name in schema.get("required", ()) if name not in names]
    return kept


def _compact_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_compact_value(item) for item in value]
    return _compact(value) if isinstance(value, dict) else value


def _without_null_branch(schema: Schema) -> Schema:
    branches = schema.get("anyOf", [])
    others = [branch for branch in branches if branch != {"type": "null"}]
    if len(branches) == 2 and len(others) == 1 and "type" in others[0] and "enum" not in others[0]:
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        return {**rest, **others[0], "type": [others[0]["type"], "null"]}
    return schema
