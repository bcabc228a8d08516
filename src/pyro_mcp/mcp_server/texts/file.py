"""Answers about files as a model reads them."""

import shlex
from collections.abc import Iterator
from math import inf

from pyro_mcp.mcp_server.texts.answers import count_of
from pyro_mcp.mcp_server.texts.diff import unshown
from pyro_mcp.models.export import ExportReport
from pyro_mcp.models.file import (
    FileContent,
    FileEdited,
    FileEntry,
    FileListing,
    FileRemoved,
    FileWritten,
    SearchMatch,
    SearchResult,
)
from pyro_mcp.models.patch import HunkOutcome, PatchedFile, PatchReport
from pyro_mcp.models.push import PushReport
from pyro_mcp.workspaces.text.lines import text_lines

# What stands above and below numbered lines: a path can have 4,096 characters, and stands there twice at most.
_ABOUT_THEM = 9_000


def listing_text(found: FileListing) -> str:
    """A line each: mode, size, path."""
    lines = [_entry(entry) for entry in found.entries] or [
        f"{found.path} is empty, or nothing in it is like that."
    ]
    return "\n".join([*lines, "There is more: give a deeper path or a glob."] if found.more else lines)


def content_text(found: FileContent, most: int | None = None) -> str:
    """Hash and size, then the numbered lines, within `most` characters."""
    head = f"{found.path}: {found.size} bytes, mode {found.mode}, sha256 {found.sha256}"
    if found.encoding == "base64":
        shown = len(found.content) // 4 * 3
        cut = (
            f"\n---\nCut: first {shown} of {found.size} bytes; a larger max_chars gives more."
            if found.truncated
            else ""
        )
        return f"{head}\n{found.content}{cut}"
    numbered, last = _numbered(found, most)
    told = [f"{head}, lines {found.start_line} to {last} of {found.total_lines}", *numbered]
    steps = [_rest_of_line(found)] if found.cut_chars else []
    if (found.truncated or last < found.end_line) and last < found.total_lines:
        steps.append(f"Go on with start_line={last + 1}.")
    return "\n".join([*told, "---", *steps] if steps else told)


def written_text(done: FileWritten) -> str:
    """What is there now."""
    return f"{done.path} {'created' if done.created else 'replaced'}: {done.size} bytes, sha256 {done.sha256}"


def edited_text(done: FileEdited) -> str:
    """Where each replacement is now."""
    places = ", ".join(
        f"edit {item.edit} at line {item.line}"
        if item.line == item.end_line
        else f"edit {item.edit} at lines {item.line}-{item.end_line}"
        for item in done.replacements[:20]
    )
    adapted = "; line ends were adapted to CRLF" if done.line_endings_adapted else ""
    return f"{done.path}: {done.total} replaced ({places}){adapted}; sha256 {done.sha256}"


def removed_text(done: FileRemoved) -> str:
    """What is gone, or where it is."""
    return f"{done.path} moved to {done.moved_to}" if done.moved_to else f"{done.path} removed"


def search_text(found: SearchResult) -> str:
    """path:line:text, with `-` for lines around a match, as grep does."""
    if not found.matches:
        ended = "The search was ended before its end; so far: " if found.more else ""
        return f"{ended}No match in {count_of(found.searched, 'file')}{_unsearched(found)}."
    lines = [line for match in found.matches for line in _match(match)]
    if found.more:
        lines += ["---", "There is more: narrow path, glob or pattern, or raise limit."]
    return "\n".join(lines)


def patch_text(report: PatchReport) -> str:
    """What was done file by file, and for what does not fit, what stands there instead."""
    verb = "would apply" if report.dry_run else "applied"
    head = (
        f"{verb} to {count_of(len(report.files), 'file')}"
        if report.applicable
        else "does not apply; nothing was changed"
    )
    return "\n".join([f"patch {head}", *(line for file in report.files for line in _patched(file))])


def push_text(done: PushReport) -> str:
    """What changed, and what stayed, was lost by it or left out."""
    lines = [
        f"{done.changed} written, {done.removed} removed, {done.unchanged} unchanged: {done.source} to {done.dest}"
    ]
    groups = (
        ("kept, changed only in the workspace", done.kept, done.kept_count),
        ("changed in the workspace and now replaced", done.overwritten, done.overwritten_count),
        ("withheld as likely keys or passwords", done.withheld, done.withheld_count),
        ("not readable as files", tuple(item.path for item in done.skipped), done.skipped_count),
    )
    lines += [f"{count} {what}: {', '.join(names[:10])}" for what, names, count in groups if count]
    return "\n".join(lines)


def export_text(done: ExportReport) -> str:
    """Where it is on the host, and what was left out."""
    if done.format == "branch":
        lines = [
            f"branch {done.branch} in {done.repository}: commit {done.commit}, {count_of(done.files, 'file')} changed"
        ]
    else:
        lines = [
            f"{count_of(done.files, 'file')} ({done.format}, {done.bytes} bytes) written to {done.output_path}"
        ]
    lines += [f"left out: {hidden}" for hidden in unshown(done)]
    lines += [f"left out {item.path}: {item.reason}" for item in done.left_out[:10]]
    if done.left_out_count > len(done.left_out[:10]):
        lines.append(f"left out {done.left_out_count} in all")
    return "\n".join(lines)


def _numbered(found: FileContent, most: int | None) -> tuple[list[str], int]:
    """The lines with their numbers, as many as there is room for, and the number of the last: short lines grow most by it."""
    numbered: list[str] = []
    room = inf if most is None else most - _ABOUT_THEM
    for number, line in enumerate(text_lines(found.content), start=found.start_line):
        bare = line.removesuffix("\n").removesuffix("\r")
        shown = f"{number:>6}  {bare}"
        room -= len(shown) + 1
        if room < 0 and numbered:
            return numbered, number - 1
        numbered.append(shown)
    return numbered, found.end_line


def _rest_of_line(found: FileContent) -> str:
    """How much of a long line is missing, and what gives it: `cut` counts bytes."""
    number, shown = found.end_line, len(found.content)
    size = len(found.content.encode(errors="replace"))
    command = f"sed -n {number}p {shlex.quote(found.path)} | cut -b {size + 1}-"
    return (
        f"line {number} cut: first {shown} of {shown + found.cut_chars} characters. A larger max_chars gives more; the rest is "
        f"what {command} prints."
    )


def _entry(entry: FileEntry) -> str:
    end = {"directory": "/", "symlink": f" -> {entry.target}"}.get(entry.kind, "")
    return f"{entry.mode} {entry.size:>9} {entry.path}{end}"


def _unsearched(found: SearchResult) -> str:
    groups = ((found.skipped_binary, "binary"), (found.skipped_large, "larger than 16 MiB"))
    told = ", ".join(f"{count} {what}" for count, what in groups if count)
    return f"; not searched: {told}" if told else ""


def _match(match: SearchMatch) -> Iterator[str]:
    first = match.line - len(match.before)
    yield from (f"{match.path}-{number}-{text}" for number, text in enumerate(match.before, start=first))
    yield f"{match.path}:{match.line}:{match.text}"
    yield from (
        f"{match.path}-{number}-{text}" for number, text in enumerate(match.after, start=match.line + 1)
    )


def _patched(file: PatchedFile) -> Iterator[str]:
    moved = f"{file.old_path} -> " if file.old_path else ""
    yield f"{file.action} {moved}{file.path} +{file.insertions} -{file.deletions}" + (
        f": {file.reason}" if file.reason else ""
    )
    for hunk in file.hunks:
        yield from _hunk(hunk)


def _hunk(hunk: HunkOutcome) -> Iterator[str]:
    if hunk.applied and (hunk.offset or hunk.tolerances):
        how = ", ".join(item.kind for item in hunk.tolerances)
        yield f"  hunk {hunk.hunk} fits at line {hunk.line}, {hunk.offset:+d} ({how})"
    if not hunk.applied:
        yield f"  hunk {hunk.hunk} does not fit: {hunk.reason}"
        for near in hunk.nearest[:1]:
            yield from (
                f"  {number:>6}  {text}" for number, text in enumerate(near.lines[:30], start=near.start_line)
            )
