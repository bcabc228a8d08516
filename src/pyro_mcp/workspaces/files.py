"""Look at files of a workspace and change them, without a shell."""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Callable, Sequence
from typing import Literal

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest, NotFound
from pyro_mcp.models.edit import Edit
from pyro_mcp.models.file import (
    FileContent,
    FileEdited,
    FileEntry,
    FileKind,
    FileListing,
    FileRemoved,
    FileWritten,
    SearchMatch,
    SearchResult,
)
from pyro_mcp.models.names import display_name, exact_name
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces import guest_changes, guest_files
from pyro_mcp.workspaces.edit import plan_edits
from pyro_mcp.workspaces.guest_changes import Step
from pyro_mcp.workspaces.guest_files import GuestFile, name_bytes, text_bytes
from pyro_mcp.workspaces.secrets.refusing import refuse_secrets
from pyro_mcp.workspaces.session import Session
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

Encoding = Literal["utf-8", "base64"]
# Editing and reading by lines hold a file in memory; what is larger is not text that anybody edits.
_LARGEST_TEXT = 64 << 20
_MOST_ENTRIES = 10_000
_MOST_LINKS = 40
_KINDS: dict[str, FileKind] = {"file": "file", "dir": "directory", "link": "symlink", "other": "other"}


def list_files(session: Session, path: str, *, depth: int, glob: str | None) -> FileListing:
    """Tell what is below a directory, `.git` left out below the first level."""
    request = {"verb": "tree.list", "path": path, "depth": depth, "limit": _MOST_ENTRIES, "ignore": [".git"]}
    found, answer = guest_files.lines(session, request)
    redact = session.redactor.text
    entries = sorted((_entry(record, redact) for record in found), key=lambda entry: entry.path)
    if glob is not None:
        from pyro_mcp.workspaces.diff.filters import path_filter

        wanted = path_filter([name_bytes(glob)])
        entries = [entry for entry in entries if wanted(entry.path.encode())]
    return FileListing(path=path, entries=tuple(entries), more=answer.get("more") is True)


def read_file(
    session: Session,
    path: str,
    *,
    start_line: int,
    end_line: int | None,
    max_chars: int | None,
    encoding: Encoding,
) -> FileContent:
    """Read a file's lines, or in base64 all of its bytes."""
    found = guest_files.read(session, path, limit=_LARGEST_TEXT)
    session.note(size=found.size)
    if encoding == "base64":
        refuse_secrets({name_bytes(path): session.redactor.names_in([found.content])})
        shown = found.content if max_chars is None else found.content[: max_chars // 4 * 3]
        return _content(
            path, found, base64.b64encode(shown).decode(), "base64", (1, 1, 1), len(shown) < found.size
        )
    text = _text(path, found)
    lines = text.splitlines(keepends=True)
    if start_line > max(len(lines), 1):
        raise InvalidRequest(f"{path} has {len(lines)} lines; there is no line {start_line}")
    chosen = _redacted(session.redactor, lines[start_line - 1 : end_line])
    kept = _within(chosen, max_chars)
    last = start_line + len(kept) - 1
    return _content(
        path, found, "".join(kept), "utf-8", (start_line, last, len(lines)), len(kept) < len(chosen)
    )


def write_file(
    session: Session,
    path: str,
    content: str,
    *,
    encoding: Encoding,
    if_match: str | None,
    executable: bool | None,
) -> FileWritten:
    """Write one whole file; what was there stays until the new content is safe."""
    data = _data(content, encoding)
    mode = None if executable is None else 0o755 if executable else 0o644
    step = guest_changes.write_step(
        _behind_links(session, path), data, mode=mode, expect=_expectation(if_match)
    )
    return _written(path, data, guest_changes.apply(session, [step]))


def edit_file(session: Session, path: str, edits: Sequence[Edit], *, if_match: str | None) -> FileEdited:
    """Make exact replacements, all or none."""
    found = guest_files.read(session, path, limit=_LARGEST_TEXT)
    if if_match is not None and found.sha256 != if_match:
        raise Conflict(
            f"{path} is not the file you read", hint="Read it again; somebody changed it in between."
        )
    if found.size > len(found.content):
        raise InvalidRequest(
            f"{path} has {found.size} bytes, too many to edit", hint="Use a command for that."
        )
    plan = plan_edits(found.content, edits)
    # What was planned on is what must still be there: another writer in between is noticed, not overwritten.
    place = path if found.target is None else _behind_links(session, path)
    step = guest_changes.write_step(place, plan.content, expect={"sha256": found.sha256})
    written = _written(path, plan.content, guest_changes.apply(session, [step]))
    return FileEdited(
        path=path,
        replacements=plan.report.replacements,
        total=plan.report.total,
        size=written.size,
        sha256=written.sha256,
        line_endings_adapted=plan.report.line_endings_adapted,
    )


def search_files(
    session: Session, pattern: str, *, path: str, glob: str | None, context_lines: int, limit: int
) -> SearchResult:
    """Find the lines that match a regular expression, in bounded time."""
    request = {
        "verb": "tree.search",
        "path": path,
        "pattern": pattern,
        "glob": glob,
        "context": context_lines,
        "limit": limit,
    }
    found, answer = guest_files.lines(session, request)
    try:
        matches = tuple(_match(record, path, session.redactor.text) for record in found)
        files, binary = (
            messages.integer(answer, name, low=0, high=2**53) for name in ("files", "skipped_binary")
        )
        more = messages.flag(answer, "more", default=False)
    except MessageError as error:
        raise GuestFailed("the machine did not say what it found", details=str(error)) from error
    session.note(matches=len(matches))
    return SearchResult(matches=matches, files=files, skipped_binary=binary, more=more)


def remove_file(session: Session, path: str, *, to: str | None, recursive: bool) -> FileRemoved:
    """Delete a file or directory, or move it."""
    found = guest_files.stat(session, path)
    if found.kind == "absent":
        raise NotFound(f"there is no {path} in the workspace")
    if found.kind == "dir" and to is None and not recursive:
        raise Conflict(
            f"{path} is a directory", hint="Give recursive=true to remove it with all that is in it."
        )
    step: Step = (
        guest_changes.move_step(path, to) if to else guest_changes.remove_step(path, recursive=recursive)
    )
    guest_changes.apply(session, [step])
    return FileRemoved(path=path, moved_to=to)


def _behind_links(session: Session, path: str) -> str:
    """Follow a link to the file that it stands for, as an editor does: the link stays a link."""
    for _ in range(_MOST_LINKS):
        found = guest_files.stat(session, path)
        if found.target is None:
            return path
        # The agent keeps to the workspace's root whatever a link says.
        path = posixpath.join(posixpath.dirname(path), found.target)
    raise InvalidRequest("too many links lead on from there", hint="Name the file itself.")


def _entry(record: Message, redact: Callable[[str], str]) -> FileEntry:
    try:
        name = name_bytes(messages.text(record, "path"))
        target = messages.optional_text(record, "target")
        return FileEntry(
            path=redact(display_name(name)),
            path_bytes=exact_name(name),
            kind=_KINDS[messages.text(record, "kind")],
            size=messages.integer(record, "size", low=0, high=2**62),
            mode=f"{messages.integer(record, 'mode', low=0, high=0o177777) & 0o7777:04o}",
            target=None if target is None else redact(display_name(name_bytes(target))),
        )
    except (MessageError, KeyError) as error:
        raise GuestFailed(
            "the machine described a directory in a way that makes no sense", details=str(error)
        ) from error


def named_from(place: str, below: str) -> str:
    """A path that was found below `place`, as the next call can name it; of a file that was searched alone, its own."""
    top = posixpath.normpath(place or ".").removeprefix("/workspace/")
    return below if top in (".", "/workspace") else posixpath.join(top, below).rstrip("/")


def _match(record: Message, place: str, redact: Callable[[str], str]) -> SearchMatch:
    def readable(text: str) -> str:
        return redact(name_bytes(text).decode(errors="replace"))

    return SearchMatch(
        path=redact(named_from(place, display_name(name_bytes(messages.text(record, "path"))))),
        line=messages.integer(record, "line", low=1, high=2**53),
        text=readable(messages.text(record, "text")),
        before=tuple(map(readable, messages.texts(record, "before"))),
        after=tuple(map(readable, messages.texts(record, "after"))),
    )


def _redacted(redactor: Redactor, lines: Sequence[str]) -> Sequence[str]:
    """The same lines, as many and in their places, without secrets."""
    clean = redactor.text("".join(lines)).splitlines(keepends=True)
    return clean if len(clean) == len(lines) else [redactor.text(line) for line in lines]


def _text(path: str, found: GuestFile) -> str:
    try:
        text = found.content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidRequest(
            f"{path} is not UTF-8 text", hint="Read it with encoding=base64, or look at it with a command."
        )
    return text


def _within(lines: Sequence[str], max_chars: int | None) -> Sequence[str]:
    """As many whole lines as there is room for, and of a single longer one its beginning."""
    if max_chars is None:
        return lines
    kept: list[str] = []
    for line in lines:
        if len(line) > max_chars:
            return kept or [line[:max_chars]]
        max_chars -= len(line)
        kept.append(line)
    return kept


def _content(
    path: str,
    found: GuestFile,
    content: str,
    encoding: Encoding,
    lines: tuple[int, int, int],
    truncated: bool,
) -> FileContent:
    return FileContent(
        path=path,
        content=content,
        encoding=encoding,
        start_line=lines[0],
        end_line=lines[1],
        total_lines=lines[2],
        size=found.size,
        mode=f"{found.mode & 0o7777:04o}",
        sha256=found.sha256 or "",
        truncated=truncated or found.size > len(found.content),
    )


def _data(content: str, encoding: Encoding) -> bytes:
    if encoding == "utf-8":
        return text_bytes(content, "the content")
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("the content is not base64", details=str(error)) from error


def _expectation(if_match: str | None) -> Message | None:
    """`if_match` is a hash that file_read gave, or "absent" for a file that must not be there yet."""
    if if_match is None:
        return None
    return {"absent": True} if if_match == "absent" else {"sha256": if_match}


def _written(path: str, data: bytes, entries: Sequence[Message]) -> FileWritten:
    try:
        (entry,) = entries
        return FileWritten(
            path=path,
            size=len(data),
            mode=f"{messages.integer(entry, 'mode', low=0, high=0o177777) & 0o7777:04o}",
            sha256=messages.text(entry, "sha256"),
            created=messages.flag(entry, "created"),
        )
    except (MessageError, ValueError) as error:
        raise GuestFailed("the machine did not say what it wrote", details=str(error)) from error
