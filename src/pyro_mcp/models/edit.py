"""Exact replacements in one file."""

from pydantic import BaseModel, ConfigDict, Field


class Edit(BaseModel):
    """Replace `old`, which must occur exactly `count` times, by `new`."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    old: str = Field(min_length=1, description="Text to find, exact, whitespace included.")
    new: str = Field(description="Text to put in its place.")
    count: int = Field(default=1, ge=1, description="How often `old` must occur; each is replaced.")

    def __init__(self, old: str, new: str, count: int = 1) -> None:
        super().__init__(old=old, new=new, count=count)


class Replacement(BaseModel):
    """One place that an edit changed."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    edit: int = Field(description="Number of the edit, from 1.")
    line: int = Field(description="First line of the new text, in the file as it is now.")
    end_line: int


class EditReport(BaseModel):
    """Where the edits of one call took place."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    replacements: tuple[Replacement, ...]
    line_endings_adapted: bool = Field(
        default=False,
        description="The file has CRLF line ends; the edits' LF were matched and written as CRLF.",
    )
