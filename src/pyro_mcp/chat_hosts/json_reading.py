"""JSON with comments and trailing commas, read with the places of things: what a change of one member needs."""

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field

from pyro_mcp.chat_hosts.documents import Unreadable
from pyro_mcp.models.encoding import JsonValue

_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_ATOM = re.compile(r"-?\d[\d.eE+-]*|true|false|null")
# A configuration is a few levels deep; more would only exhaust Python's stack.
_DEEPEST = 100


@dataclass
class Node:
    """One value and where it stands: text[start:end]."""

    start: int
    end: int
    value: JsonValue
    # Of an object, in the order of the text.
    members: list["Member"] = field(default_factory=list)


@dataclass
class Member:
    """A key with its value, and where the comma behind it is."""

    key: str
    start: int
    node: Node
    comma: int | None


def read(text: str) -> Node:
    """Read a whole text. Raises Unreadable with line and column."""
    return _Reader(text).whole()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def whole(self) -> Node:
        node, position = self._value(self._blank(0), 0)
        position = self._blank(position)
        if position != len(self._text):
            raise self._trouble(position, "the end")
        return node

    def _value(self, position: int, depth: int) -> tuple[Node, int]:
        if depth > _DEEPEST:
            raise self._trouble(position, f"no more than {_DEEPEST} levels")
        first = self._text[position : position + 1]
        if first == "{":
            return self._object(position, depth)
        if first == "[":
            return self._array(position, depth)
        found = (_STRING if first == '"' else _ATOM).match(self._text, position)
        if found is None:
            raise self._trouble(position, "a value")
        return Node(position, found.end(), self._decoded(found[0], position)), found.end()

    def _object(self, start: int, depth: int) -> tuple[Node, int]:
        node = Node(start, start, {})
        position = self._blank(start + 1)
        while self._text[position : position + 1] != "}":
            key = _STRING.match(self._text, position)
            if key is None:
                raise self._trouble(position, 'a key in quotes or "}"')
            colon = self._blank(key.end())
            self._expect(colon, ":")
            value, after = self._value(self._blank(colon + 1), depth + 1)
            member = Member(str(self._decoded(key[0], position)), position, value, None)
            node.members.append(member)
            position, member.comma = self._separator(after, "}")
        # Of two members of one name the last counts, as every host's parser has it.
        node.value = {member.key: member.node.value for member in node.members}
        node.end = position + 1
        return node, node.end

    def _array(self, start: int, depth: int) -> tuple[Node, int]:
        items: list[JsonValue] = []
        position = self._blank(start + 1)
        while self._text[position : position + 1] != "]":
            value, after = self._value(position, depth + 1)
            items.append(value.value)
            position, _ = self._separator(after, "]")
        return Node(start, position + 1, items), position + 1

    def _separator(self, position: int, closing: str) -> tuple[int, int | None]:
        """Pass the comma behind a member; give where the next thing is, and the comma's place."""
        position = self._blank(position)
        if self._text[position : position + 1] == closing:
            return position, None
        self._expect(position, ",")
        return self._blank(position + 1), position

    def _expect(self, position: int, wanted: str) -> None:
        if self._text[position : position + 1] != wanted:
            raise self._trouble(position, f'"{wanted}"')

    def _blank(self, position: int) -> int:
        found = _BLANK.match(self._text, position)
        return found.end() if found else position

    def _decoded(self, token: str, position: int) -> JsonValue:
        try:
            value: JsonValue = json.loads(token)
        except ValueError:
            raise self._trouble(position, "a value") from None
        return value

    def _trouble(self, position: int, wanted: str) -> Unreadable:
        line = bisect_right(self._lines, position)
        return Unreadable(f"line {line}, column {position - self._lines[line - 1] + 1}: expected {wanted}")
