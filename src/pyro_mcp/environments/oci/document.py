"""Take typed values out of an image's JSON documents. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pyro_mcp.errors import InvalidRequest

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class Document:
    """One JSON object, and what to call it when something in it is wrong."""

    def __init__(self, name: str, table: Mapping[str, object]) -> None:
        self.name = name
        self._table = table

    def text(self, key: str) -> str:
        """Take a string; empty when there is none."""
        return _text(self._table.get(key) or "", self.wrong(key))

    def texts(self, key: str) -> list[str]:
        """Take a list of strings; empty when there is none."""
        return [_text(item, self.wrong(key)) for item in self._list(key)]

    def number(self, key: str) -> int:
        """Take a number."""
        value = self._table.get(key)
        if not isinstance(value, int):
            raise self.wrong(key)
        return value

    def digest(self, key: str) -> str:
        """Take a SHA-256, and give its hexadecimal digits."""
        return sha256_in(self.text(key), self.wrong(key))

    def part(self, key: str) -> Document:
        """Take an object; an empty one when there is none."""
        return Document(f"{self.name}: {key}", _table(self._table.get(key) or {}, self.wrong(key)))

    def parts(self, key: str) -> list[Document]:
        """Take a list of objects; empty when there is none."""
        return [Document(f"{self.name}: {key}", _table(item, self.wrong(key))) for item in self._list(key)]

    def wrong(self, key: str) -> InvalidRequest:
        """Build the error for a key of this object."""
        return InvalidRequest(
            f"{self.name}: {key} is missing or not what belongs there",
            hint="Save the image again with docker save, podman save or skopeo copy.",
        )

    def _list(self, key: str) -> list[object]:
        value = self._table.get(key) or []
        if not isinstance(value, list):
            raise self.wrong(key)
        return value


def parse(name: str, data: bytes) -> Document:
    """Read a document that is one object."""
    return Document(name, _table(_json(name, data), Document(name, {}).wrong("it")))


def parse_list(name: str, data: bytes) -> list[Document]:
    """Read a document that is a list of objects."""
    return Document(name, {"list": _json(name, data)}).parts("list")


def sha256_in(digest: str, wrong: InvalidRequest) -> str:
    """Give the hexadecimal digits of a digest."""
    found = _DIGEST.fullmatch(digest)
    if found is None:
        raise wrong
    return found[1]


def _json(name: str, data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{name} is not JSON", details=str(error)) from None


def _table(value: object, wrong: InvalidRequest) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise wrong
    return value


def _text(value: object, wrong: InvalidRequest) -> str:
    if not isinstance(value, str) or "\0" in value or not _is_writable(value):
        raise wrong
    return value


def _is_writable(value: str) -> bool:
    """Half of a surrogate pair, which JSON can write and UTF-8 cannot, would fail where nobody expects it."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)
