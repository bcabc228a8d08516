"""A configuration file as something to change in one place, whatever its format; everything else stays byte for byte."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pyro_mcp.models.encoding import JsonObject, JsonValue

# Keys from the root to a value.
Place = tuple[str, ...]


class Unreadable(ValueError):
    """The text is not of its format, or has something else where a table of settings must be."""


class Document(Protocol):
    """A text that was read, and can be changed."""

    @property
    def text(self) -> str:
        """The text as it is now."""
        ...

    def get(self, place: Place) -> JsonValue:
        """Give the value at a place; None where nothing is."""
        ...

    def set(self, place: Place, value: JsonValue) -> None:
        """Put a value at a place, with the tables that lead to it. Raises Unreadable where one of them is none."""
        ...

    def remove(self, place: Place) -> None:
        """Take away what is at a place."""
        ...


def merge(document: Document, place: Place, entry: Mapping[str, JsonValue], *, owned: Sequence[str]) -> None:
    """Write `entry` at `place`, key by key: what somebody added beside them stays.

    Keys in `owned` that the entry has no more are removed. An equal value is not touched, so a second time changes nothing.
    """
    present = document.get(place)
    if present is None:
        document.set(place, dict(entry))
        return
    if not isinstance(present, dict):
        raise Unreadable(f"{'.'.join(place)} is no table")
    for key, value in entry.items():
        if present.get(key) != value:
            document.set((*place, key), value)
    for key in set(owned) - set(entry):
        if key in present:
            document.remove((*place, key))


def at(root: JsonValue, place: Place) -> JsonValue:
    """Follow keys down; None where they end."""
    for key in place:
        if not isinstance(root, dict):
            return None
        root = root.get(key)
    return root


def nested(place: Place, value: JsonValue) -> JsonObject:
    """Wrap a value in the tables that lead to it."""
    for key in reversed(place):
        value = {key: value}
    assert isinstance(value, dict)
    return value
