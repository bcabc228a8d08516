"""What a file has at the place somebody probably meant."""

from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDifference:
    """One line that keeps the wanted text from matching."""

    # Line number in the file; null when the file lacks the line.
    line: int | None
    difference: Difference
    # The line as the request has it.
    wanted: str | None
    # The line as the file has it.
    file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMatch:
    """Lines of the file that resemble the text that was not found."""

    start_line: int
    end_line: int
    # 0 to 1.
    similarity: float
    # The file's lines from start_line on, cut when long.
    lines: tuple[str, ...]
    differences: tuple[LineDifference, ...]
