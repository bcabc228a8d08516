"""What a file has at the place somebody probably meant."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Difference = Literal[
    "line_ending",
    "trailing_whitespace",
    "indentation",
    "whitespace",
    "quotes",
    "case",
    "text",
    "only_wanted",
    "only_file",
]


class LineDifference(BaseModel):
    """One line that keeps the wanted text from matching."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    line: int | None = Field(description="Line number in the file; null when the file lacks the line.")
    difference: Difference
    wanted: str | None = Field(description="The line as the request has it.")
    file: str | None = Field(description="The line as the file has it.")


class NearMatch(BaseModel):
    """Lines of the file that resemble the text that was not found."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    start_line: int
    end_line: int
    similarity: float = Field(description="0 to 1.")
    lines: tuple[str, ...] = Field(description="The file's lines from start_line on, cut when long.")
    differences: tuple[LineDifference, ...]
