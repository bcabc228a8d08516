"""What git ignores, by the patterns of .gitignore files: gitignore(5), without git. Pure; every match takes linear time.

The one difference known: a slash inside brackets, which can match nothing in a path, makes a pattern match nothing at all here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

# A hostile file cannot make us work for minutes: git projects have hundreds of patterns, not tens of thousands.
_MOST_PATTERNS = 5000
_ESCAPED_SLASH = re.compile(rb"(?<!\\)((?:\\\\)*)\\/")
_STARS_IN_A_NAME = re.compile(rb"([^*?\[\\]*[^*?\[\\/])\*\*+(?:/|\Z)")
_CLASSES = {
    b"alnum": b"a-zA-Z0-9", b"alpha": b"a-zA-Z", b"blank": b" \\t", b"cntrl": b"\\x00-\\x1f\\x7f", b"digit": b"0-9",
    b"graph": b"\\x21-\\x7e", b"lower": b"a-z", b"print": b"\\x20-\\x7e", b"punct": b"!-/:-@\\[-`{-~",
    b"space": b" \\t\\n\\r\\f\\v", b"upper": b"A-Z", b"xdigit": b"0-9A-Fa-f",
}  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """One line of an ignore file. `parts` are matched with a path's parts; None stands for `**`.

    `prefix` is plain text that goes before the parts: git compares what stands before the first special character on its own,
    so that `**` is one even in `a**/b`.
    """

    parts: tuple[re.Pattern[bytes] | None, ...]
    negated: bool
    directories_only: bool
    anchored: bool
    prefix: bytes = b""

    def matches(self, parts: list[bytes], is_directory: bool) -> bool:
        """Whether it matches the path with these parts, relative to the ignore file's directory."""
        if self.directories_only and not is_directory:
            return False
        if not self.anchored:
            first = self.parts[0]
            return first is None or first.fullmatch(parts[-1]) is not None
        if self.prefix:
            path = b"/".join(parts)
            if not path.startswith(self.prefix):
                return False
            parts = path[len(self.prefix) :].split(b"/")
        return _matches(self.parts, parts)


@dataclass(frozen=True)
class Rules:
    """The patterns of one ignore file, which lies in directory `base`, over those of the directories above it."""

    base: bytes = b""
    patterns: tuple[Pattern, ...] = ()
    above: Rules | None = None

    @cached_property
    def _depth(self) -> int:
        return self.base.count(b"/") + 1 if self.base else 0

    def ignores(self, path: bytes, is_directory: bool) -> bool:
        """Whether git ignores this path; what lies in an ignored directory is ignored too, and the caller knows that."""
        found = self.deciding(path, is_directory)
        return found is not None and not found[1].negated

    def deciding(self, path: bytes, is_directory: bool) -> tuple[Rules, Pattern] | None:
        """Give the pattern that has the last word on a path, and the rules that it stands in."""
        parts = path.split(b"/")
        rules: Rules | None = self
        while rules is not None:
            below = parts[rules._depth :]
            for pattern in reversed(rules.patterns):
                if pattern.matches(below, is_directory):
                    return rules, pattern
            rules = rules.above
        return None

    def over(self, base: bytes, text: bytes) -> Rules:
        """Add the ignore file of a directory below."""
        return Rules(base, parse(text), self)


def parse(text: bytes) -> tuple[Pattern, ...]:
    """Read an ignore file."""
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:_MOST_PATTERNS]
    return tuple(pattern for line in lines if (pattern := _pattern(line.removesuffix(b"\r"))) is not None)


def _pattern(line: bytes) -> Pattern | None:
    if line.startswith(b"#"):
        return None
    line = _without_trailing_spaces(line)
    negated = line.startswith(b"!")
    line = line[negated:]
    directories_only = line.endswith(b"/")
    line = line.removesuffix(b"/")
    if not line:
        return None
    anchored = b"/" in line
    line = _ESCAPED_SLASH.sub(rb"\1/", line.removeprefix(b"/"))
    prefix = found.group(1) if anchored and (found := _STARS_IN_A_NAME.match(line)) else b""
    parts: list[re.Pattern[bytes] | None] = []
    for text in line[len(prefix) :].split(b"/"):
        if anchored and len(text) > 1 and not text.strip(b"*"):
            parts.append(None)
        elif (part := _compile(text)) is not None:
            parts.append(part)
        else:
            return None
    return Pattern(tuple(parts), negated, directories_only, anchored, prefix)


def _without_trailing_spaces(line: bytes) -> bytes:
    bare = line.rstrip(b" ")
    escaped = (len(bare) - len(bare.rstrip(b"\\"))) % 2 == 1
    return bare + b" " if escaped and len(line) > len(bare) else bare


def _compile(glob: bytes) -> re.Pattern[bytes] | None:
    """Turn one part of a pattern into an expression that cannot backtrack: what stands between two stars has one length,
    so its first match is as good as any other. None when the part can match nothing."""
    chunks: list[bytes] = [b""]
    at = 0
    while at < len(glob):
        char = glob[at : at + 1]
        at += 1
        if char == b"*":
            if chunks[-1] or len(chunks) == 1:
                chunks.append(b"")
        elif char == b"?":
            chunks[-1] += b"."
        elif char == b"\\":
            if at == len(glob):
                return None
            chunks[-1] += re.escape(glob[at : at + 1])
            at += 1
        elif char == b"[":
            found = _class(glob, at)
            if found is None:
                return None
            chunks[-1] += found[0]
            at = found[1]
        else:
            chunks[-1] += re.escape(char)
    if len(chunks) == 1:
        return re.compile(chunks[0], re.DOTALL)
    middle = b"".join(b"(?>.*?" + chunk + b")" for chunk in chunks[1:-1])
    return re.compile(chunks[0] + middle + b".*" + chunks[-1], re.DOTALL)


def _class(glob: bytes, at: int) -> tuple[bytes, int] | None:
    """Read a bracket expression from behind its `[`; gives it as an expression, and where it ends."""
    negated = glob[at : at + 1] in (b"!", b"^")
    at += negated
    members: list[bytes] = []
    first = True
    while first or glob[at : at + 1] != b"]":
        first = False
        if glob.startswith(b"[:", at) and (end := glob.find(b":]", at)) > 0:
            name = glob[at + 2 : end]
            if name not in _CLASSES:
                return None
            members.append(_CLASSES[name])
            at = end + 2
            continue
        low, at = _member(glob, at)
        high = low
        if glob[at : at + 1] == b"-" and glob[at + 1 : at + 2] not in (b"]", b""):
            high, at = _member(glob, at + 1)
        if not low or not high:
            return None
        if low <= high:
            members.append(b"\\x%02x-\\x%02x" % (low[0], high[0]))
    body = b"".join(members)
    if not body:
        return (b"." if negated else b"(?!)", at + 1)
    return b"[" + (b"^" if negated else b"") + body + b"]", at + 1


def _member(glob: bytes, at: int) -> tuple[bytes, int]:
    """One character of a bracket expression, empty where the pattern ends."""
    if glob[at : at + 1] == b"\\":
        at += 1
    return glob[at : at + 1], at + 1


def _matches(pattern: tuple[re.Pattern[bytes] | None, ...], parts: list[bytes]) -> bool:
    """Match part by part; `**` takes none or more directories, and at the end at least one part. On a mismatch only the
    last `**` takes more: the parts between two of them have one number, so the first place where they fit will do."""
    at = on = 0
    retry: tuple[int, int] | None = None
    last = len(pattern) - 1
    while on < len(parts):
        if at <= last and pattern[at] is None:
            if at == last:
                return True
            retry = (at + 1, on)
            at += 1
            continue
        part = pattern[at] if at <= last else None
        if part is not None and part.fullmatch(parts[on]):
            at, on = at + 1, on + 1
        elif retry is not None:
            retry = (retry[0], retry[1] + 1)
            at, on = retry
        else:
            return False
    return at > last
