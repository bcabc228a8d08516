"""Read one hunk, also when its header counts wrong."""

import re
from dataclasses import dataclass, field

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.patch import Tolerance
from pyro_mcp.workspaces.patch.reading.document import Hunk, HunkLine

_HEADER = re.compile(rb"@@ *-(\d{1,10})(?:,(\d{1,10}))? +\+(\d{1,10})(?:,(\d{1,10}))?(?: *@@|\s*\Z)")
_SIGNATURE = re.compile(rb"\d+\.\d+")
_STOPS = (b"@@", b"diff --", b"Index: ", b"*** ", b"```", b"~~~", b"GIT binary patch")
_OPS = {b" ": " ", b"-": "-", b"+": "+"}


@dataclass(slots=True)
class _Body:
    """The lines of a hunk while they are read."""

    lines: list[HunkLine] = field(default_factory=list)
    open_marks: list[int] = field(default_factory=list)
    """Indexes in `lines` followed by "No newline at end of file"."""
    unprefixed: list[int] = field(default_factory=list)
    """Lines of the patch that lack the leading space of a context line."""


def starts_hunk(line: bytes) -> bool:
    """Tell whether a hunk of a unified diff begins here; models leave the numbers out at times."""
    return line.startswith(b"@@") and not line.startswith(b"@@@")


def is_file_header(lines: list[bytes], at: int) -> bool:
    """Tell whether `--- name` and `+++ name` stand here."""
    return (
        at + 1 < len(lines) and lines[at].startswith(b"--- ") and lines[at + 1].startswith(b"+++ ")
    )  # a removed "-- x" line above an added "++ y" line looks the same; only counts tell, and then we do not come here


def read_hunk(lines: list[bytes], at: int) -> tuple[Hunk, int]:
    """Read the hunk whose header is `lines[at]`; give it and the index of the line after."""
    header = _HEADER.match(lines[at])
    if header is None:
        body, after = _read_to_boundary(lines, at + 1)
        return _finish(body, at, None, _header_missing(lines[at])), after
    start, old, _new_start, new = header.groups()
    counts = (int(old or 1), int(new or 1))
    first = int(start) + (1 if counts[0] == 0 else 0)  # with no old lines git names the line before
    for strict in (True, False):
        counted, after = _read_by_count(lines, at + 1, *counts, strict=strict)
        if counted is not None:
            return _finish(counted, at, first, ()), after
    body, after = _read_to_boundary(lines, at + 1)
    return _finish(body, at, first, (_miscounted(body, counts),)), after


def _header_missing(line: bytes) -> tuple[Tolerance, ...]:
    text = line.strip().decode(errors="replace")
    return (
        Tolerance(
            kind="hunk_header", detail=f'"{text[:60]}" has no line numbers: placed by its content alone'
        ),
    )


def _miscounted(body: _Body, counts: tuple[int, int]) -> Tolerance:
    old = sum(line.op != "+" for line in body.lines)
    new = sum(line.op != "-" for line in body.lines)
    detail = f"the header says {counts[0]} old and {counts[1]} new lines, there are {old} and {new}"
    return Tolerance(kind="hunk_counts", detail=detail)


def _read_by_count(
    lines: list[bytes], at: int, old: int, new: int, *, strict: bool
) -> tuple[_Body | None, int]:
    """Read exactly as many lines as the header says, or give None.

    When not strict, a line with no prefix passes as context: the counts prove that it is meant so.
    """
    body = _Body()
    while old > 0 or new > 0:
        if at >= len(lines):
            return None, at
        op = _op(lines[at])
        if op is None and (strict or is_boundary(lines, at)):
            return None, at
        if op == "\\":
            body.open_marks.append(len(body.lines) - 1)
        else:
            old -= op != "+"
            new -= op != "-"
            _append(body, lines[at], op, at)
        at += 1
    if old < 0 or new < 0:
        return None, at
    if at < len(lines) and _op(lines[at]) == "\\":
        body.open_marks.append(len(body.lines) - 1)
        at += 1
    return (None if _goes_on(lines, at) else body), at


def _read_to_boundary(lines: list[bytes], at: int) -> tuple[_Body, int]:
    """Read as far as lines look like a hunk's; blank lines at its end are left out, they may be none of it."""
    body = _Body()
    while at < len(lines) and not is_boundary(lines, at):
        op = _op(lines[at])
        if op is None:
            _refuse_change_after_stray_line(lines, at)
            break
        if op == "\\":
            body.open_marks.append(len(body.lines) - 1)
        else:
            _append(body, lines[at], op, at)
        at += 1
    while body.lines and not lines[at - 1].strip(b"\r"):
        body.lines.pop()
        at -= 1
    return body, at


def _refuse_change_after_stray_line(lines: list[bytes], at: int) -> None:
    """Never drop changes in silence: text after a hunk is fine, text in the middle of one is not."""
    if not lines[at - 1].strip():
        return
    for following in range(at + 1, min(len(lines), at + 200)):
        if is_boundary(lines, following) or not lines[following].strip():
            return
        if lines[following][:1] in (b"+", b"-"):
            raise InvalidRequest(
                f"line {at + 1} of the patch is inside a hunk but begins with none of ' ', '+', '-'",
                details=lines[at][:200].decode(errors="replace"),
                hint="Begin each unchanged line of a hunk with one space.",
            )


def _op(line: bytes) -> str | None:
    if not line or line == b"\r":
        return " "
    if line[:1] == b"\\":
        return "\\"
    return _OPS.get(line[:1])


def _append(body: _Body, line: bytes, op: str | None, at: int) -> None:
    if op is None:
        body.unprefixed.append(at + 1)
        body.lines.append(HunkLine(" ", line))
    else:
        body.lines.append(HunkLine(op, line[1:] if line[:1] in _OPS else line))


def is_boundary(lines: list[bytes], at: int) -> bool:
    """Tell whether the next thing of a patch begins here: a hunk, a file, a fence, a mail's signature."""
    line = lines[at]
    if line.startswith(_STOPS) or is_file_header(lines, at):
        return True
    if line.rstrip() != b"--":
        return False
    return at + 1 == len(lines) or bool(_SIGNATURE.match(lines[at + 1]))


def _goes_on(lines: list[bytes], at: int) -> bool:
    """Tell whether more lines of a hunk follow where the header says that it is over."""
    while at < len(lines) and not lines[at].strip(b"\r"):
        at += 1
    return at < len(lines) and lines[at][:1] in _OPS and not is_boundary(lines, at)


def _finish(body: _Body, at: int, old_start: int | None, notes: tuple[Tolerance, ...]) -> Hunk:
    if not body.lines:
        raise InvalidRequest(f"line {at + 1} of the patch: the hunk has no lines")
    if body.unprefixed:
        numbers = ", ".join(map(str, body.unprefixed[:5]))
        notes += (
            Tolerance(kind="line_prefix", detail=f"lines {numbers} of the patch lack their leading space"),
        )
    old_open, new_open = _open_ends(body)
    return Hunk(tuple(body.lines), at + 1, old_start, old_open=old_open, new_open=new_open, tolerances=notes)


def _open_ends(body: _Body) -> tuple[bool, bool]:
    """Say whether the last old and the last new line are marked as having no line feed."""
    last_old = max((i for i, line in enumerate(body.lines) if line.op != "+"), default=None)
    last_new = max((i for i, line in enumerate(body.lines) if line.op != "-"), default=None)
    return last_old in body.open_marks, last_new in body.open_marks
