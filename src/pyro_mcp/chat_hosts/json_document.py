"""Change one member of a JSON text and leave the rest as it is: comments, order, indentation, line endings."""

import json
import re

from pyro_mcp.chat_hosts.documents import Place, Unreadable, at, nested
from pyro_mcp.chat_hosts.json_reading import Member, Node, read
from pyro_mcp.models.encoding import JsonValue

_INDENT = re.compile(r"[ \t]*")


class JsonDocument:
    """A JSON object; with `comments`, JSON as editors read it (comments, trailing commas)."""

    def __init__(self, text: str, *, comments: bool) -> None:
        self._text = text if text.strip("\ufeff \t\r\n") else "{}\n"
        self._newline = "\r\n" if "\r\n" in self._text else "\n"
        self._root = self._parse(comments=comments)

    @property
    def text(self) -> str:
        return self._text

    def get(self, place: Place) -> JsonValue:
        return at(self._root.value, place)

    def set(self, place: Place, value: JsonValue) -> None:
        node, rest = self._deepest(place)
        if not rest:
            self._splice(node.start, node.end, self._rendered(value, self._indent_at(node.start)))
        elif not isinstance(node.value, dict):
            raise Unreadable(f"{'.'.join(place[: -len(rest)])} is no object")
        else:
            self._insert(node, rest[0], nested(rest[1:], value) if rest[1:] else value)

    def remove(self, place: Place) -> None:
        parent, rest = self._deepest(place[:-1])
        numbers = [number for number, member in enumerate(parent.members) if member.key == place[-1]]
        if rest or not numbers:
            return
        number = numbers[-1]
        member = parent.members[number]
        comma = member.comma
        start, end = self._with_its_lines(member.start, member.node.end if comma is None else comma + 1)
        before = parent.members[number - 1].comma if comma is None and number else None
        kept = self._text[:start] if before is None else self._text[:before] + self._text[before + 1 : start]
        self._text = kept + self._text[end:]
        self._root = read(self._text)
        self._close_up(place[:-1])

    def _with_its_lines(self, start: int, end: int) -> tuple[int, int]:
        """Widen to whole lines where nothing else stands on them."""
        line = self._text.rfind("\n", 0, start) + 1
        after = self._text.find("\n", end)
        if self._text[line:start].strip() or after < 0 or self._text[end:after].strip():
            return len(self._text[:start].rstrip(" \t")), end
        return line, after + 1

    def _close_up(self, place: Place) -> None:
        """Make an object that has nothing left in it `{}`."""
        node, _ = self._deepest(place)
        if not self._text[node.start + 1 : node.end - 1].strip():
            self._splice(node.start + 1, node.end - 1, "")

    def _deepest(self, place: Place) -> tuple[Node, Place]:
        """The node that the place leads to, or as far as it goes, and the keys that are left."""
        node = self._root
        for number, key in enumerate(place):
            found = [member for member in node.members if member.key == key]
            if not found:
                return node, place[number:]
            node = found[-1].node
        return node, ()

    def _insert(self, node: Node, key: str, value: JsonValue) -> None:
        outer = self._indent_at(node.start)
        indent = self._indent_of_members(node, outer)
        member = f"{indent}{json.dumps(key, ensure_ascii=False)}: {self._rendered(value, indent)}"
        closing = node.end - 1
        if not node.members:
            inside = self._text[node.start + 1 : closing].rstrip()  # comments may stand there
            new = f"{inside}{self._newline}{member}{self._newline}{outer}"
            self._splice(node.start + 1, closing, new)
            return
        comma = "," if node.members[-1].comma is not None else ""
        # The comma that is there, and comments.
        kept = self._text[node.members[-1].node.end : closing].rstrip()
        separator = "" if comma else ","
        new = f"{separator}{kept}{self._newline}{member}{comma}{self._newline}{outer}"
        self._splice(node.members[-1].node.end, closing, new)

    def _indent_of_members(self, node: Node, outer: str) -> str:
        for member in node.members:
            if self._begins_its_line(member):
                return self._indent_at(member.start)
        return outer + self._unit()

    def _unit(self) -> str:
        """One level of indentation: what the root's first member has."""
        first = self._root.members[:1]
        own = self._indent_at(first[0].start) if first and self._begins_its_line(first[0]) else ""
        return own or "  "

    def _begins_its_line(self, member: Member) -> bool:
        line = self._text.rfind("\n", 0, member.start) + 1
        return line > 0 and not self._text[line : member.start].strip()

    def _indent_at(self, position: int) -> str:
        line = self._text.rfind("\n", 0, position) + 1
        found = _INDENT.match(self._text, line)
        return found[0] if found and found.end() <= position else ""

    def _rendered(self, value: JsonValue, indent: str) -> str:
        lines = json.dumps(value, indent=self._unit(), ensure_ascii=False).split("\n")
        return f"{self._newline}{indent}".join(lines)

    def _splice(self, start: int, end: int, new: str) -> None:
        self._text = self._text[:start] + new + self._text[end:]
        self._root = read(self._text)

    def _parse(self, *, comments: bool) -> Node:
        if not comments:
            _refuse_comments(self._text)
        root = read(self._text)
        if not isinstance(root.value, dict):
            raise Unreadable("it holds no JSON object")
        return root


def _refuse_comments(text: str) -> None:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from None
