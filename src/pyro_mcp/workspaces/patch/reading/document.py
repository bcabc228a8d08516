"""A patch as it was written: sections, hunks, names; nothing resolved against any tree yet."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pyro_mcp.models.patch import PatchAction, Tolerance

Form = Literal["git", "unified", "envelope"]


class HunkLine(NamedTuple):
    """One line of a hunk: `op` is " ", "-" or "+"; `text` has no line feed."""

    op: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Hunk:
    """One place to change: the lines that should be there and those that should be afterwards."""

    lines: tuple[HunkLine, ...]
    patch_line: int
    old_start: int | None = None
    """The line, from 1, where the patch expects it; None when it does not say."""
    anchors: tuple[bytes, ...] = ()
    """Lines to look for first, outermost first (`@@ class A` in an envelope)."""
    at_end: bool = False
    """The old lines should be the file's last (`*** End of File`)."""
    old_open: bool = False
    """The last old line has no line feed in the file."""
    new_open: bool = False
    tolerances: tuple[Tolerance, ...] = ()
    bare: tuple[HunkLine, ...] = ()
    """The same lines, had unchanged ones been written without the space that goes before them; empty where none was."""

    def old_lines(self) -> list[bytes]:
        """Give the lines that must be in the file."""
        return [text for op, text in self.lines if op != "+"]

    def new_lines(self) -> list[bytes]:
        """Give the lines that will be in the file."""
        return [text for op, text in self.lines if op != "-"]

    def changed_span(self) -> tuple[int, int]:
        """Give where among the old lines the change begins and ends: what is before and after is context."""
        ops = "".join(line.op for line in self.lines)
        inner = ops.strip(" ")
        first = len(ops) - len(ops.lstrip(" "))
        return first, first + len(inner) - inner.count("+")

    def added_edges(self) -> tuple[list[bytes], list[bytes]]:
        """Give the lines that a hunk which only adds puts before and after all of its old lines."""
        if self.count("-") or not self.count(" "):
            return [], []
        first, last = (
            next(at for at, line in enumerate(lines) if line.op == " ")
            for lines in (self.lines, self.lines[::-1])
        )
        texts = [line.text for line in self.lines]
        return texts[:first], texts[len(texts) - last :]

    def count(self, op: str) -> int:
        """Count the lines of one kind."""
        return sum(line.op == op for line in self.lines)


@dataclass(frozen=True, slots=True)
class BinaryChange:
    """New content as a whole (`literal`), or as instructions over the old content (`delta`)."""

    method: Literal["literal", "delta"]
    data: bytes
    """For a delta, the instructions, still to be run."""


@dataclass(frozen=True, slots=True)
class RawName:
    """A name as the patch has it, which may begin with a prefix such as `a/`."""

    text: bytes
    prefixed: bool = True
    """False for the names in `rename from` and the like, which never have the prefix."""


@dataclass(frozen=True, slots=True)
class Section:
    """All that the patch says about one file."""

    form: Form
    action: PatchAction
    old: RawName | None
    new: RawName | None
    patch_line: int
    old_mode: int | None = None
    new_mode: int | None = None
    old_id: str | None = None
    """Git's hash of the old content, maybe abbreviated."""
    new_id: str | None = None
    hunks: tuple[Hunk, ...] = ()
    binary: BinaryChange | None = None
    binary_left_out: bool = False
    """The patch says that a binary file differs but not how."""
    prefix_parts: int | None = None
    """How many leading parts of the names look like a prefix; None when that cannot be told."""
    commit: int = 0
    """Counts the commits of a mail series or log: each builds on the one before."""
    tolerances: tuple[Tolerance, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedPatch:
    """A patch read, not yet held against any files."""

    sections: tuple[Section, ...]
    tolerances: tuple[Tolerance, ...] = field(default=())
