"""Exact replacements in one file."""

from dataclasses import dataclass
from typing import ClassVar

from pyro_mcp.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `old`, which must occur exactly `count` times, by `new`."""

    # Read by pydantic where a model gives edits as JSON: a misspelt key is told, not dropped.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    # Text to find, exact, whitespace included.
    old: str
    # Text to put in its place.
    new: str
    # How often `old` must occur; each is replaced.
    count: int = 1

    def __post_init__(self) -> None:
        if not self.old:
            raise InvalidRequest(
                "an edit's old text is empty", hint="Give the text to replace, exactly as it is."
            )
        if self.count < 1:
            raise InvalidRequest(f"an edit's count is {self.count}; the least is 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One place that an edit changed."""

    # Number of the edit, from 1.
    edit: int
    # First line of the new text, in the file as it is now.
    line: int
    end_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EditReport:
    """Where the edits of one call took place."""

    # The first thousand, from the top of the file.
    replacements: tuple[Replacement, ...]
    total: int
    # The file has CRLF line ends; the edits' LF were matched and written as CRLF.
    line_endings_adapted: bool = False
