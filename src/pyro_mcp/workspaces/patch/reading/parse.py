"""Read a patch in whatever form it comes."""

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.patch import Tolerance
from pyro_mcp.workspaces.patch.reading import envelope
from pyro_mcp.workspaces.patch.reading.document import ParsedPatch, Section
from pyro_mcp.workspaces.patch.reading.hunks import is_file_header
from pyro_mcp.workspaces.patch.reading.unified import UnifiedReader

MAX_PATCH = 256 * 1024 * 1024
"""A patch is held in memory as lines, several times its size."""
_STRUCTURE = (
    b"diff --git ",
    b"@@ -",
    b"*** Begin Patch",
    b"*** Update File: ",
    b"*** Add File: ",
    b"*** Delete File: ",
)


def parse_patch(patch: bytes) -> ParsedPatch:
    """Read `git diff` output, a plain unified diff, or a `*** Begin Patch` envelope.

    What can be understood in one way only is understood and reported as a tolerance; the rest raises InvalidRequest.
    """
    if len(patch) > MAX_PATCH:
        raise InvalidRequest(f"the patch has {len(patch):,} bytes, more than the {MAX_PATCH:,} allowed")
    lines = patch.split(b"\n")
    if not lines[-1]:
        lines.pop()
    notes = _remove_transport_line_ends(lines)
    sections, more = _read(lines)
    if not sections:
        raise InvalidRequest(
            "no change was found in the patch",
            hint="Give git diff output, a unified diff (---, +++, @@), or *** Begin Patch … *** End Patch.",
        )
    return ParsedPatch(tuple(sections), notes + more)


def _read(lines: list[bytes]) -> tuple[list[Section], tuple[Tolerance, ...]]:
    start = _find_envelope(lines)
    if start is None:
        reader = UnifiedReader(lines)
        return reader.read(), _surrounding(reader.stray)
    stray = [
        number for number, line in enumerate(lines[:start], 1) if line.strip() and not line.startswith(b"```")
    ]
    following = next((at for at in range(start + 1, len(lines)) if lines[at].strip()), None)
    if following is not None and _starts_unified(lines, following):
        reader = UnifiedReader(
            [line for line in lines if not line.startswith((b"*** Begin Patch", b"*** End Patch"))]
        )
        note = Tolerance(kind="envelope", detail="the envelope holds a unified diff")
        return reader.read(), (note, *_surrounding(reader.stray))
    sections, after, notes = envelope.read_envelope(lines, start)
    _refuse_second_patch(lines, after)
    return sections, notes + _surrounding(stray)


def _find_envelope(lines: list[bytes]) -> int | None:
    """Find where an envelope begins; None when a unified diff comes first, or neither does."""
    for at, line in enumerate(lines):
        if envelope.BEGIN.match(line) or envelope.DIRECTIVE.match(line):
            return at
        if _starts_unified(lines, at):
            return None
    return None


def _starts_unified(lines: list[bytes], at: int) -> bool:
    return lines[at].startswith(b"diff --git ") or is_file_header(lines, at)


def _refuse_second_patch(lines: list[bytes], after: int) -> None:
    """Never apply the first half in silence."""
    for at in range(after, len(lines)):
        if (
            envelope.BEGIN.match(lines[at])
            or envelope.DIRECTIVE.match(lines[at])
            or _starts_unified(lines, at)
        ):
            raise InvalidRequest(
                f"line {at + 1}: a second patch begins", hint="Put all files into one envelope."
            )


def _surrounding(stray: list[int]) -> tuple[Tolerance, ...]:
    if not stray:
        return ()
    shown = ", ".join(map(str, stray[:5])) + (", …" if len(stray) > 5 else "")
    return (
        Tolerance(kind="surrounding_text", detail=f"text around the patch was passed over (lines {shown})"),
    )


def _remove_transport_line_ends(lines: list[bytes]) -> tuple[Tolerance, ...]:
    """Take CR from every line when the patch's own header lines have one: the patch travelled as CRLF text."""
    own = [line for line in lines if line.startswith(_STRUCTURE)]
    if not own or not all(line.endswith(b"\r") for line in own):
        return ()
    lines[:] = [line.removesuffix(b"\r") for line in lines]
    detail = "the patch itself has CRLF line ends; each file keeps its own"
    return (Tolerance(kind="patch_line_endings", detail=detail),)
