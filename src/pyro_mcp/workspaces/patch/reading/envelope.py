"""Read the `*** Begin Patch` envelope."""

import re
from dataclasses import dataclass, field

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.patch import Tolerance
from pyro_mcp.workspaces.patch.reading.document import Hunk, HunkLine, RawName, Section

DIRECTIVE = re.compile(rb"\*\*\* (Add|Delete|Update) File: *(.*?)\s*\Z")
BEGIN = re.compile(rb"\*\*\* Begin Patch\s*\Z")
_MOVE = re.compile(rb"\*\*\* Move to: *(.*?)\s*\Z")
_END = re.compile(rb"\*\*\* End Patch\s*\Z")
_END_OF_FILE = re.compile(rb"\*\*\* End of File\s*\Z")
_NUMBERS = re.compile(rb"@@ *-(\d{1,10})(?:,(\d{1,10}))? +\+\d{1,10}(?:,\d{1,10})? *@@")
_OPS = {b" ": " ", b"-": "-", b"+": "+"}


def read_envelope(lines: list[bytes], start: int) -> tuple[list[Section], int, tuple[Tolerance, ...]]:
    """Read the sections from `lines[start]` on; give them, the index of the line after, and what was tolerated."""
    notes = []
    at = start
    if BEGIN.match(lines[at]):
        at += 1
    else:
        notes.append(Tolerance(kind="envelope", detail='"*** Begin Patch" is missing'))
    sections = []
    while (at := _skip_blank(lines, at)) < len(lines) and (found := DIRECTIVE.match(lines[at])):
        section, at = _read_section(lines, at, found)
        sections.append(section)
    if at < len(lines) and _END.match(lines[at]):
        at += 1
    elif at < len(lines) and not lines[at].startswith((b"```", b"EOF")):
        raise InvalidRequest(
            f"line {at + 1} of the patch is neither a file nor the end of the envelope",
            details=lines[at][:200].decode(errors="replace"),
            hint='Expected "*** Add File: ", "*** Update File: ", "*** Delete File: " or "*** End Patch".',
        )
    else:
        notes.append(Tolerance(kind="envelope", detail='"*** End Patch" is missing'))
    return sections, at, tuple(notes)


def _skip_blank(lines: list[bytes], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _read_section(lines: list[bytes], at: int, found: re.Match[bytes]) -> tuple[Section, int]:
    verb, name = found.groups()
    if not name:
        raise InvalidRequest(f"line {at + 1} of the patch names no file")
    raw = RawName(name)
    if verb == b"Delete":
        return Section("envelope", "delete", raw, None, at + 1, prefix_parts=0), at + 1
    if verb == b"Add":
        return _read_added(lines, at, raw)
    return _read_updated(lines, at, raw)


def _body_end(lines: list[bytes], at: int) -> int:
    """Find where a section's lines end: at the next `***` line that is one of the envelope's, or a closing fence."""
    while at < len(lines) and not (
        DIRECTIVE.match(lines[at])
        or _END.match(lines[at])
        or lines[at].startswith(b"```")
        or lines[at].rstrip() == b"EOF"
    ):
        at += 1
    return at


def _read_added(lines: list[bytes], at: int, name: RawName) -> tuple[Section, int]:
    end = _body_end(lines, at + 1)
    body = [line for line in lines[at + 1 : end] if not _END_OF_FILE.match(line)]
    while body and not body[-1].strip(b"\r"):
        body.pop()
    plain = [line for line in body if not line.startswith(b"+")]
    notes: tuple[Tolerance, ...] = ()
    if plain and len(plain) < len(body) and any(line.strip() for line in plain):
        raise InvalidRequest(
            f'after line {at + 1} of the patch, some lines of the new file lack their "+"',
            details=next(line for line in plain if line.strip())[:200].decode(errors="replace"),
        )
    if plain:
        notes = (Tolerance(kind="line_prefix", detail=f'{len(plain)} lines of the new file lack their "+"'),)
    added = tuple(HunkLine("+", line[1:] if line.startswith(b"+") else line) for line in body)
    hunks = (Hunk(added, at + 2),) if added else ()
    return Section("envelope", "add", None, name, at + 1, hunks=hunks, prefix_parts=0, tolerances=notes), end


def _read_updated(lines: list[bytes], at: int, name: RawName) -> tuple[Section, int]:
    first = at + 1
    moved = _MOVE.match(lines[first]) if first < len(lines) else None
    if moved and not moved.group(1):
        raise InvalidRequest(f"line {first + 1} of the patch names no file")
    end = _body_end(lines, first)
    hunks = _HunkReader(lines, first + (moved is not None), end).read()
    if not hunks and not moved:
        raise InvalidRequest(f"line {at + 1} of the patch: the update has no hunk")
    new = RawName(moved.group(1)) if moved else name
    moves = moved is not None and moved.group(1) != name.text
    return Section(
        "envelope", "rename" if moves else "modify", name, new, at + 1, hunks=tuple(hunks), prefix_parts=0
    ), end


@dataclass(slots=True)
class _HunkReader:
    """Reads the hunks of one update: anchors, then lines."""

    lines: list[bytes]
    at: int
    end: int
    hunks: list[Hunk] = field(default_factory=list)
    anchors: list[bytes] = field(default_factory=list)
    body: list[HunkLine] = field(default_factory=list)
    old_start: int | None = None
    begun: int = 0
    blanks: int = 0
    """Empty lines at the end of `body`: a gap, unless more lines of the hunk follow."""
    unprefixed: list[int] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    """Which lines of `body` are unprefixed."""
    open_old: bool = False
    open_new: bool = False

    def read(self) -> list[Hunk]:
        self.begun = self.at + 1
        while self.at < self.end:
            self._read_line(self.lines[self.at])
            self.at += 1
        self._close(at_end=False)
        if self.anchors:
            raise InvalidRequest(f"line {self.begun} of the patch: nothing follows the @@ line")
        return self.hunks

    def _read_line(self, line: bytes) -> None:
        if line.startswith(b"@@"):
            self._read_anchor(line)
        elif _END_OF_FILE.match(line):
            self._close(at_end=True)
        elif line.startswith(b"\\"):
            last = self.body[-1].op if self.body else "+"
            self.open_old |= last != "+"
            self.open_new |= last != "-"
        elif not line.strip(b"\r"):
            self.blanks += 1
        else:
            self._add(line)

    def _read_anchor(self, line: bytes) -> None:
        self._close(at_end=False)
        if not self.anchors:
            self.begun = self.at + 1
        numbers = _NUMBERS.match(line)
        if numbers:
            self.old_start = int(numbers.group(1)) + (numbers.group(2) == b"0")
        elif text := line[2:].strip().removesuffix(b"@@").strip():
            self.anchors.append(text)

    def _add(self, line: bytes) -> None:
        if self.body or self.anchors or line.strip():
            self.body += [HunkLine(" ", b"")] * self.blanks
        self.blanks = 0
        op = _OPS.get(line[:1])
        if op is None:
            self.unprefixed.append(self.at + 1)
            self.taken.add(len(self.body))
            self.body.append(HunkLine(" ", line))
        else:
            self.body.append(HunkLine(op, line[1:]))

    def _bare(self) -> tuple[HunkLine, ...]:
        """Take the space before unchanged lines for their own: of lines that are indented nobody sees that it is missing."""
        lines = tuple(
            HunkLine(" ", b" " + line.text)
            if line.op == " " and number not in self.taken and line.text
            else line
            for number, line in enumerate(self.body)
        )
        return lines if lines != tuple(self.body) else ()

    def _close(self, *, at_end: bool) -> None:
        self.blanks = 0
        if not self.body:
            return
        notes: tuple[Tolerance, ...] = ()
        if self.unprefixed:
            numbers = ", ".join(map(str, self.unprefixed[:5]))
            notes = (
                Tolerance(
                    kind="line_prefix", detail=f"lines {numbers} of the patch lack their leading space"
                ),
            )
        self.hunks.append(
            Hunk(
                tuple(self.body), self.begun, self.old_start, tuple(self.anchors), at_end,
                self.open_old, self.open_new, notes, self._bare(),
            )
        )  # fmt: skip
        self.body, self.anchors, self.unprefixed, self.taken = [], [], [], set()
        self.old_start, self.open_old, self.open_new, self.begun = None, False, False, self.at + 1
