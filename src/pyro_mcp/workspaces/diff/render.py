"""Write the patch of one file as git writes it."""

from dataclasses import dataclass

from pyro_mcp.workspaces.diff.compare import Pair, Side
from pyro_mcp.workspaces.text.quoting import quote_name

_ABBREVIATED = 7  # digits of an id; binary patches need it whole
_ABSENT = "0" * 40
_HEADER = 400  # bytes within which libgit2's own header ends: its names are empty here
_LOOKED_AT = 8_000  # bytes that git looks through for a NUL to call a file binary


@dataclass(frozen=True, slots=True)
class FilePatch:
    """The patch of one file and what it amounts to."""

    text: bytes
    insertions: int
    deletions: int
    binary: bool


def render_file(pair: Pair) -> FilePatch:
    """Write the patch of one file."""
    old, new = (side.content if side else b"" for side in (pair.old, pair.new))
    body, insertions, deletions = _compare_content(old, new)
    binary = body.startswith(b"GIT binary patch")
    looks_binary = binary or (not body and b"\0" in new[:_LOOKED_AT])
    named = bool(body) and not binary
    header = [_first_line(pair, named=named), *_modes(pair), *_moves(pair), *_index(pair, whole=binary)]
    if named:
        header += [b"--- " + _file(b"a/", pair.old), b"+++ " + _file(b"b/", pair.new)]
    return FilePatch(b"\n".join(header) + b"\n" + body, insertions, deletions, looks_binary)


def render_left_out(path: bytes, old_mode: int | None, new_mode: int | None) -> bytes:
    """Write what git writes for a binary file whose content is not in the patch."""
    old, new = Side(path, old_mode or 0, _ABSENT, b""), Side(path, new_mode or 0, _ABSENT, b"")
    before = old if old_mode else None
    after = new if new_mode else None
    pair = Pair("added" if before is None else "deleted" if after is None else "modified", before, after)
    last = b"Binary files " + _file(b"a/", before) + b" and " + _file(b"b/", after) + b" differ"
    return b"\n".join([_first_line(pair, named=False), *_modes(pair), last]) + b"\n"


def _compare_content(old: bytes, new: bytes) -> tuple[bytes, int, int]:
    """Let libgit2 write the hunks, from bytes alone: no repository, so no attributes or configuration have a say."""
    import pygit2
    from pygit2.enums import DiffOption

    if old == new:
        return b"", 0, 0
    patch = pygit2.Patch.create_from(old, new, flag=DiffOption.SHOW_BINARY, context_lines=3)
    text = patch.data
    if (at := text.find(b"\nGIT binary patch\n", 0, _HEADER)) >= 0:
        return text[at + 1 :], 0, 0
    _context, insertions, deletions = patch.line_stats
    return text[text.index(b"\n@@ -") + 1 :], insertions, deletions


def _first_line(pair: Pair, *, named: bool) -> bytes:
    """Write the line that begins a file; when no other line names it, git misreads some names with spaces unless quoted."""
    paths = [b"a/" + (pair.old.path if pair.old else pair.path), b"b/" + pair.path]
    always = not named and any(b" " in path for path in paths)
    return b"diff --git " + b" ".join(quote_name(path, always=always) for path in paths)


def _name(prefix: bytes, side: Side | None) -> bytes:
    return quote_name(prefix + side.path) if side else b"/dev/null"


def _file(prefix: bytes, side: Side | None) -> bytes:
    """Name a file after --- or +++: a tab shows where a name with spaces ends."""
    name = _name(prefix, side)
    return name + b"\t" if b" " in name and not name.startswith(b'"') else name


def _modes(pair: Pair) -> list[bytes]:
    if pair.old is None and pair.new is not None:
        return [b"new file mode %o" % pair.new.mode]
    if pair.new is None and pair.old is not None:
        return [b"deleted file mode %o" % pair.old.mode]
    if pair.old and pair.new and pair.old.mode != pair.new.mode:
        return [b"old mode %o" % pair.old.mode, b"new mode %o" % pair.new.mode]
    return []


def _moves(pair: Pair) -> list[bytes]:
    if pair.status != "renamed" or not pair.old or not pair.new:
        return []
    names = [b"rename from " + quote_name(pair.old.path), b"rename to " + quote_name(pair.new.path)]
    return [b"similarity index %d%%" % pair.similarity, *names]


def _index(pair: Pair, *, whole: bool) -> list[bytes]:
    old, new = (side.id if side else _ABSENT for side in (pair.old, pair.new))
    if old == new:
        return []
    digits = 40 if whole else _ABBREVIATED
    same_mode = pair.old and pair.new and pair.old.mode == pair.new.mode
    mode = b" %o" % pair.old.mode if same_mode and pair.old else b""
    return [f"index {old[:digits]}..{new[:digits]}".encode() + mode]
