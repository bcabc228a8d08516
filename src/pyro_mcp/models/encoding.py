"""Models as JSON: one object, whatever the operation answered."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import PurePath

from pyro_mcp.models.narrowing import is_only_full, narrowed

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
# Numbers that say how much there is of another field, which is left out where there is nothing.
_OF_ANOTHER = ("_count", "_from", "_bytes")
JsonObject = dict[str, JsonValue]


def as_object(
    result: object,
    plural: str | None = None,
    *,
    narrow: bool = False,
    sparse: bool = False,
    remarks: Mapping[str, bool | str] = {},
) -> JsonObject:
    """Turn an operation's answer into one JSON object; a list stands under its plural.

    `narrow` leaves out the fields that not every profile shows, `sparse` those that have nothing to tell; `remarks` are
    added where the answer does not say them.
    """
    value = as_json(narrowed(result) if narrow else result, narrow=narrow, sparse=sparse)
    if not isinstance(value, dict):
        if plural is None:
            raise TypeError(f"{type(result).__name__} is neither a model nor a list of models")
        value = {plural: value}
    return {**value, **{name: fact for name, fact in remarks.items() if name not in value}}


def _says_nothing(item: "Field[object]", found: object) -> bool:
    """Whether it is what a reader takes for granted: not there, no, none of them. An empty text is a text, no failed test is
    a fact, and an exit code of 0 is one where there may be none.
    """
    usual = item.default if item.default_factory is MISSING else item.default_factory()
    if usual is MISSING or found != usual or found or isinstance(found, str | bytes):
        return False
    return not isinstance(found, int) or isinstance(found, bool) or item.name.endswith(_OF_ANOTHER)


def as_json(value: object, *, narrow: bool = False, sparse: bool = False) -> JsonValue:
    """Turn a model, or whatever may stand in one, into what json.dumps takes."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if is_dataclass(value):
        shown = (
            (item, getattr(value, item.name)) for item in fields(value) if not (narrow and is_only_full(item))
        )
        return {
            item.name: as_json(found, narrow=narrow, sparse=sparse)
            for item, found in shown
            if not (sparse and _says_nothing(item, found))
        }
    if isinstance(value, Mapping):
        return {str(key): as_json(item, narrow=narrow, sparse=sparse) for key, item in value.items()}
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Sequence):
        return [as_json(item, narrow=narrow, sparse=sparse) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not belong in a model")
