"""Ids and names: what they look like, which are refused, and how new ones are made. Pure, but for the dice."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.registry.words import ADJECTIVES, NOUNS

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# No letter that is mistaken for another or for a digit (i, l, o, u). Ten of them are 50 bits.
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(r"[a-z]{2,4}-[0-9a-z]{10}")

# Words that stand for something else on a command line or in an answer, or soon might.
RESERVED = frozenset(
    {
        "all",
        "any",
        "baseline",
        "current",
        "default",
        "help",
        "last",
        "latest",
        "new",
        "none",
        "now",
        "null",
        "self",
        "this",
    }
)


def new_id(prefix: str) -> str:
    """Make an id such as `ws-4h7k2m9qxz`: short, readable aloud, never the same twice."""
    return f"{prefix}-{''.join(_any_of(_LETTERS) for _ in range(10))}"


def looks_like_id(text: str) -> bool:
    """Whether `text` has the shape of an id, so that it can never be a name."""
    return _ID.fullmatch(text) is not None


def check_name(name: str, *, what: str = "workspace") -> str:
    """Return the name when it may be used; raises InvalidRequest, with a name that would do, when not."""
    if not NAME.fullmatch(name):
        raise InvalidRequest(
            f"{name[:80]!r} cannot be a {what}'s name",
            details="A name has 1 to 63 of a-z, 0-9 and '-', and does not start with '-'.",
            hint=f"Use {suggestion(name)!r} instead.",
        )
    if looks_like_id(name):
        raise InvalidRequest(
            f"{name!r} looks like an id, so it cannot be a {what}'s name",
            hint=f"Use a name of another shape, such as {suggestion(name.replace('-', ''))!r}.",
        )
    if name in RESERVED:
        raise InvalidRequest(
            f"{name!r} is a reserved word, so it cannot be a {what}'s name",
            hint=f"Use {name + '-1'!r} instead.",
        )
    return name


def suggestion(name: str) -> str:
    """Make the nearest allowed name from anything."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].rstrip("-")
    if not plain or looks_like_id(plain) or plain in RESERVED:
        return f"{plain[:57]}-work".lstrip("-")
    return plain


def generate_name(taken: Collection[str]) -> str:
    """Pick an adjective and a noun that no workspace has yet, with a number once the pairs run out."""
    for _ in range(20):
        name = f"{_any_of(ADJECTIVES)}-{_any_of(NOUNS)}"
        if name not in taken:
            return name
    base = f"{_any_of(ADJECTIVES)}-{_any_of(NOUNS)}"
    number = next(number for number in range(2, len(taken) + 3) if f"{base}-{number}" not in taken)
    return f"{base}-{number}"


def _any_of(words: Sequence[str]) -> str:
    """The `secrets` module does the same, and takes 5 ms to import."""
    return words[int.from_bytes(os.urandom(8)) % len(words)]
