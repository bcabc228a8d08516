"""Say what kind of file a path is. The patterns are data: kinds.toml."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import cast

from pyro_mcp.models.summary import FileKind


def kind_of(path: str) -> FileKind:
    """Give the kind of a file by its path; `other` where no pattern fits."""
    lowered = path.lower()
    for kind, patterns in _patterns().items():
        if any(_fits(lowered, pattern) for pattern in patterns):
            return kind
    return "other"


def _fits(path: str, pattern: str) -> bool:
    """A pattern with a slash holds at the top and in any directory below it."""
    if "/" not in pattern:
        return fnmatchcase(path.rpartition("/")[2], pattern)
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"*/{pattern}")


@cache
def _patterns() -> dict[FileKind, list[str]]:
    text = resources.files(__package__).joinpath("kinds.toml").read_text()
    return cast(dict[FileKind, list[str]], tomllib.loads(text))
