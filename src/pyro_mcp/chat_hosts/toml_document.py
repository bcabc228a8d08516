"""Change one table of a TOML text; tomlkit keeps the rest, comments included."""

from collections.abc import MutableMapping
from typing import cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from pyro_mcp.chat_hosts.documents import Place, Unreadable, at
from pyro_mcp.models.encoding import JsonValue

_Mutable = MutableMapping[str, object]


class TomlDocument:
    """A TOML text."""

    def __init__(self, text: str) -> None:
        try:
            self._document = tomlkit.parse(text)
        except TOMLKitError as error:
            raise Unreadable(str(error)) from None

    @property
    def text(self) -> str:
        return tomlkit.dumps(self._document)

    def get(self, place: Place) -> JsonValue:
        return at(cast("JsonValue", self._document.unwrap()), place)

    def set(self, place: Place, value: JsonValue) -> None:
        table = cast("_Mutable", self._document)
        for key in place[:-1]:
            if key not in table:
                # A table that only leads to others has no header of its own.
                table[key] = tomlkit.table(is_super_table=True)
            inner = table[key]
            if not isinstance(inner, MutableMapping):
                raise Unreadable(f"{'.'.join(place[:-1])} is no table")
            table = inner
        table[place[-1]] = _table(value) if isinstance(value, dict) else value

    def remove(self, place: Place) -> None:
        table: object = self._document
        for key in place[:-1]:
            table = table.get(key) if isinstance(table, MutableMapping) else None
        if isinstance(table, MutableMapping):
            table.pop(place[-1], None)


def _table(values: dict[str, JsonValue]) -> Table:
    table = tomlkit.table()
    for key, value in values.items():
        table[key] = _table(value) if isinstance(value, dict) else value
    return table
