"""Work out what one section of a patch makes of its file."""

import hashlib
from dataclasses import dataclass, field

from pyro_mcp.models.names import display_name
from pyro_mcp.models.patch import EntryType, HunkOutcome, Tolerance
from pyro_mcp.workspaces.patch.planning.apply import apply_hunks
from pyro_mcp.workspaces.patch.planning.resolve import Target
from pyro_mcp.workspaces.patch.planning.tree import FileState, Refused, Tree
from pyro_mcp.workspaces.patch.reading.binary import DeltaMismatch, run_delta
from pyro_mcp.workspaces.patch.reading.document import Section


@dataclass(slots=True)
class SectionResult:
    """What a section makes of its file, while it is worked out."""

    content: bytes = b""
    hunks: tuple[HunkOutcome, ...] = ()
    notes: list[Tolerance] = field(default_factory=list)
    type: EntryType | None = None


def apply_section(target: Target, tree: Tree, result: SectionResult) -> None:
    """Lay what the section does over the tree, and note it in `result`; raise Refused where it does not fit."""
    section = target.section
    if section.action == "add":
        _add(target, tree, result)
    elif section.action == "delete":
        _delete(target, tree, result)
    elif target.old is not None and target.new is not None:
        _change(target, target.old, target.new, tree, result)


def _add(target: Target, tree: Tree, result: SectionResult) -> None:
    if any(hunk.old_lines() for hunk in target.section.hunks):
        raise Refused("it is said to be new, but the patch has lines that should be in it already")
    tree.require_vacant(target.path)
    _make_content(target.section, FileState("regular"), result)
    result.type = _type_after(target.section, "regular")
    tree.changed[target.path] = FileState(result.type, result.content)


def _delete(target: Target, tree: Tree, result: SectionResult) -> None:
    path, section = target.path, target.section
    state = _require_file(tree.now(path), path, section)
    if section.hunks:
        _make_content(section, state, result)
        if result.content:
            lines = result.content.count(b"\n") + 1
            raise Refused(f"it is to be deleted, but has {lines} lines that the patch does not know")
    elif section.binary or section.old_id:
        _verify_binary_base(section, state, result)
    elif state.content and section.form != "envelope":
        result.notes.append(
            Tolerance(kind="unverified", detail="deleted; the patch does not say what was in it")
        )
    tree.changed[path] = None


def _change(target: Target, old: bytes, new: bytes, tree: Tree, result: SectionResult) -> None:
    section = target.section
    moves = section.action in ("rename", "copy")
    if not moves and old != new:
        raise Refused(f'the names differ ("{display_name(old)}"); a rename has "rename from" and "rename to"')
    found = tree.source(old) if moves and section.form == "git" else tree.now(old)
    if found is None and not moves and _creates(section):
        result.notes.append(Tolerance(kind="missing_header", detail="the file was not there: created"))
        _add(target, tree, result)
        return
    state = _require_file(found, old, section)
    if moves:
        tree.require_vacant(new)
    _make_content(section, state, result)
    result.type = _type_after(
        section, state.type if state.type != "directory" and state.type != "other" else "regular"
    )
    if section.action == "rename" and (old not in tree.changed or tree.changed[old] is state):
        tree.changed[old] = None
    if moves:
        tree.moved[new] = tree.moved.get(old, old)
    tree.changed[new] = FileState(result.type, result.content)


def _creates(section: Section) -> bool:
    """Tell whether a section that changes a file could make it from nothing."""
    return bool(section.hunks) and all(not hunk.old_lines() for hunk in section.hunks) and not section.binary


def _require_file(state: FileState | None, path: bytes, section: Section) -> FileState:
    shown = display_name(path)
    if state is None:
        raise Refused(f'"{shown}" does not exist')
    if state.type in ("directory", "other"):
        raise Refused(f'"{shown}" is no file' + (" but a directory" if state.type == "directory" else ""))
    wants_link = section.old_mode == 0o120000
    if section.old_mode == 0o160000:
        raise Refused("the patch changes a submodule, of which it says only the commit")
    if state.type == "symlink" and not wants_link and (section.hunks or section.binary):
        target = display_name(state.content)
        raise Refused(f'"{shown}" is a symbolic link to "{target}"; patch the file itself')
    if wants_link and state.type != "symlink":
        raise Refused(f'"{shown}" is no symbolic link, as the patch has it')
    return state


def _type_after(section: Section, before: EntryType) -> EntryType:
    mode = section.new_mode
    if mode is None or (mode == section.old_mode and section.action != "add"):
        return before
    if mode == 0o120000:
        return "symlink"
    if mode == 0o160000:
        raise Refused("the patch adds a submodule, of which it says only the commit")
    if mode >> 12 != 0o10:
        raise Refused(f"the patch gives it mode {mode:o}, which is that of no file")
    return "executable" if mode & 0o100 else "regular"


def _make_content(section: Section, state: FileState, result: SectionResult) -> None:
    if section.binary_left_out:
        if section.old_id is not None and section.old_id == section.new_id:
            result.content = state.content
            return
        raise Refused("it is binary, and the patch lacks its content; make the patch with git diff --binary")
    if section.binary is not None:
        result.content = _binary_content(section, state, result)
    elif section.hunks:
        proven = bool(section.old_id) and _has_id(state.content, section.old_id or "")
        applied = apply_hunks(state.content, section.hunks, base_proven=proven)
        result.hunks = applied.outcomes
        if applied.content is None:
            rejected = sum(not outcome.applied for outcome in applied.outcomes)
            raise Refused(f"{rejected} of {len(applied.outcomes)} hunks do not fit")
        result.content = applied.content
    else:
        result.content = state.content


def _binary_content(section: Section, state: FileState, result: SectionResult) -> bytes:
    binary = section.binary
    assert binary is not None
    if section.action != "add":
        _verify_binary_base(section, state, result)
    content = binary.data
    if binary.method == "delta":
        try:
            content = run_delta(state.content, binary.data)
        except DeltaMismatch as wrong:
            raise Refused(f"the binary change does not fit: {wrong}") from None
    if section.new_id and not _has_id(content, section.new_id):
        raise Refused("the binary content of the patch is not what its index line says")
    return content


def _verify_binary_base(section: Section, state: FileState, result: SectionResult) -> None:
    """Refuse a binary change made from other content: there are no lines to tell by, only the hash."""
    if not section.old_id:
        result.notes.append(
            Tolerance(kind="unverified", detail="the patch has no hash of the old content to compare")
        )
    elif not _has_id(state.content, section.old_id):
        raise Refused("its content is not what the patch was made from (by the hash in its index line)")


def _has_id(content: bytes, wanted: str) -> bool:
    """Compare with git's hash of the content, abbreviated maybe; 64 digits are those of a SHA-256 repository."""
    make = hashlib.sha256 if len(wanted) > 40 else hashlib.sha1
    return make(b"blob %d\0" % len(content) + content).hexdigest().startswith(wanted)
