"""How many cells a character takes, as most terminals of today count them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_JOINERS = frozenset("\u200b\u200c\u200d\u2060\ufeff")


@lru_cache(maxsize=4096)
def width(character: str) -> int:
    """Return 2 for wide characters, 0 for what combines with the one before, -1 for what shows nothing, else 1."""
    category = unicodedata.category(character)
    if category in ("Cc", "Cs") or character in "\u2028\u2029":
        return -1
    if category in ("Mn", "Me") or character in _JOINERS:
        return 0
    if category == "Cf":
        return -1 if character != "\u00ad" else 1  # direction marks and tags: in a chat they only mislead
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 1
