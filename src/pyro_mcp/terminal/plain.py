"""Text that programs wrote to no terminal, as a person would read it on one: line by line, for tabs and long lines are to stay.

What acts within a line is carried out (a carriage return, a backspace, erasing): of a progress bar the last state stays. What
else a terminal would act on, and nobody reads, is dropped.
"""

from __future__ import annotations

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Sequences: CSI; OSC, DCS, SOS, PM and APC with their strings; escapes of two or three characters; one that was cut off.
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-9:;<=>?]*[ -/]*(?:[@-~]|$)|[\]PX^_][^\x07\x18\x1a\x1b\n]*(?:\x07|\x1b\\|$)?|[ -/]*[0-~])?"
)
_ERASE = re.compile(r"\x1b\[([012]?)K")
_ACTS = re.compile(r"([\r\b]|\x1b\[[012]?K)")


def plain(text: str) -> str:
    """Give the text without a character that a terminal would act on, but for tabs and line feeds."""
    if not _CONTROLS.search(text):
        return text
    return "\n".join(_line(line) if _CONTROLS.search(line) else line for line in text.split("\n"))


def _line(line: str) -> str:
    cells: list[str] = []
    at = 0
    for piece in _ACTS.split(line.rstrip("\r")):
        if piece == "\r":
            at = 0
        elif piece == "\b":
            at = max(at - 1, 0)
        elif found := _ERASE.fullmatch(piece):
            cells = _erased(cells, at, found.group(1))
        elif shown := _CONTROLS.sub("", _SEQUENCE.sub("", piece)):
            cells += " " * (at - len(cells))
            cells[at : at + len(shown)] = shown
            at += len(shown)
    return "".join(cells)


def _erased(cells: list[str], at: int, which: str) -> list[str]:
    if which == "2":
        return []
    return [" "] * min(at, len(cells)) + cells[at:] if which == "1" else cells[:at]
