"""Tell which files likely hold secrets, by their names and by how they begin. The patterns are data: sensitive.toml."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from pathlib import Path
from typing import NamedTuple, cast

# Enough for a certificate chain in front of its key.
HEAD = 16 * 1024
# Larger files are no keys, and a copy of a disk would otherwise be searched.
_LARGEST = 256 * 1024


@dataclass(frozen=True)
class Sensitive:
    """The patterns, compiled."""

    names: re.Pattern[bytes]
    paths: re.Pattern[bytes]
    harmless: re.Pattern[bytes]
    any_content: re.Pattern[bytes]
    contents: tuple[tuple[re.Pattern[bytes], re.Pattern[bytes]], ...]

    def by_name(self, path: bytes) -> bool:
        """Whether a file of this path likely holds a secret."""
        name = path.rpartition(b"/")[2]
        if not (self.names.match(name) or (self.paths.search(b"/" + path))):
            return False
        return not (self.harmless.match(name) or self.harmless.search(b"/" + path))

    def by_content(self, path: bytes, size: int, head: bytes) -> bool:
        """Whether a file that begins like this likely holds a secret."""
        if size > _LARGEST or not head:
            return False
        head = head[:HEAD]
        if self.any_content.search(head):
            return True
        name = path.rpartition(b"/")[2]
        return any(names.match(name) and pattern.search(head) for names, pattern in self.contents)


@cache
def sensitive() -> Sensitive:
    """Read the patterns, once."""
    import tomllib

    text = Path(__file__).with_name("sensitive.toml").read_text()
    found = cast("dict[str, list[str]]", tomllib.loads(text))
    content = cast("list[dict[str, object]]", found["content"])
    rules = [_Rule(tuple(cast("list[str]", rule["names"])), str(rule["pattern"])) for rule in content]
    return Sensitive(
        names=_any(found["names"]),
        paths=_ends(found["paths"]),
        harmless=_any_or_ends(found["harmless"]),
        any_content=_pattern("|".join(rule.pattern for rule in rules if rule.names == ("*",))),
        contents=tuple((_any(rule.names), _pattern(rule.pattern)) for rule in rules if rule.names != ("*",)),
    )


class _Rule(NamedTuple):
    names: tuple[str, ...]
    pattern: str


def _pattern(text: str) -> re.Pattern[bytes]:
    return re.compile(text.encode(), re.MULTILINE)


def _globs(patterns: Iterable[str]) -> str:
    return "|".join(translate(pattern) for pattern in patterns)


def _any(patterns: Iterable[str]) -> re.Pattern[bytes]:
    return re.compile(_globs(patterns).encode(), re.IGNORECASE)


def _ends(patterns: Iterable[str]) -> re.Pattern[bytes]:
    return re.compile(f"/(?:{_globs(patterns)})".encode(), re.IGNORECASE)


def _any_or_ends(patterns: Iterable[str]) -> re.Pattern[bytes]:
    return re.compile(f"(?:/|\\A)(?:{_globs(patterns)})".encode(), re.IGNORECASE)
