"""Look at files of a workspace: list, read, search."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from pyro_mcp.errors import GuestFailed, InvalidRequest
from pyro_mcp.models.file import (
    FileContent,
    FileEntry,
    FileKind,
    FileListing,
    SearchMatch,
    SearchResult,
)
from pyro_mcp.models.names import display_name, exact_name
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.files.guest_files import GuestFile, guest_path, name_bytes
from pyro_mcp.workspaces.files.near import naming_near
from pyro_mcp.workspaces.secrets.refusing import refuse_secrets
from pyro_mcp.workspaces.session import Session
from pyro_mcp.workspaces.text.lines import text_lines
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

Encoding = Literal["utf-8", "base64"]
# Editing and reading by lines hold a file in memory; what is larger is not text that anybody edits.
LARGEST_TEXT = 64 << 20
_MOST_ENTRIES = 10_000
_DEEPEST = 100
_KINDS: dict[str, FileKind] = {"file": "file", "dir": "directory", "link": "symlink", "other": "other"}


def list_files(session: Session, path: str, *, depth: int | None, glob: str | None) -> FileListing:
    """Tell what is below a directory, `.git` left out below the first level; as deep as the glob leads if no depth is given."""
    path = guest_files.meant(session, path)
    request = {
        "verb": "tree.list",
        "path": path,
        "depth": depth or _depth_of(glob),
        "glob": None if glob is None else guest_path(glob),
        "limit": _MOST_ENTRIES,
        "ignore": [".git"],
    }
    with naming_near(session, path):
        found, answer = guest_files.lines(session, request)
    redact = session.redactor.text
    entries = sorted((_entry(record, redact) for record in found), key=lambda entry: entry.path)
    return FileListing(path=guest_files.shown(path), entries=tuple(entries), more=answer.get("more") is True)


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
    path = guest_files.meant(session, path)
    with naming_near(session, path):
        found = guest_files.read(session, path, limit=LARGEST_TEXT)
    session.note(size=found.size)
    if encoding == "base64":
        refuse_secrets({name_bytes(path): session.redactor.names_in([found.content])})
        shown = found.content if max_chars is None else found.content[: max_chars // 4 * 3]
        return _content(
            path, found, base64.b64encode(shown).decode(), "base64", (1, 1, 1), len(shown) < found.size
        )
    text = _text(path, found)
    lines = text_lines(text)
    if start_line > max(len(lines), 1):
        raise InvalidRequest(
            f"{guest_files.shown(path)} has {len(lines)} lines; there is no line {start_line}"
        )
    chosen = _redacted(session.redactor, lines[start_line - 1 : end_line])
    kept, missing = _within(chosen, max_chars)
    last = start_line + len(kept) - 1
    told = _content(
        path, found, "".join(kept), "utf-8", (start_line, last, len(lines)), len(kept) < len(chosen)
    )
    return replace(told, truncated=told.truncated or missing > 0, cut_chars=missing)


def search_files(
    session: Session, pattern: str, *, path: str, glob: str | None, context_lines: int, limit: int
) -> SearchResult:
    """Find the lines that match a regular expression, in bounded time."""
    path = guest_files.meant(session, path)
    request = {
        "verb": "tree.search",
        "path": path,
        "pattern": pattern,
        "glob": glob,
        "context": context_lines,
        "limit": limit,
    }
    with naming_near(session, path):
        found, answer = guest_files.lines(session, request)
    try:
        matches = tuple(_match(record, path, session.redactor.text) for record in found)
        files, searched, binary, large = (
            messages.integer(answer, name, low=0, high=2**53)
            for name in ("files", "searched", "skipped_binary", "skipped_large")
        )
        more = messages.flag(answer, "more", default=False)
    except MessageError as error:
        raise GuestFailed("the machine did not say what it found", details=str(error)) from error
    session.note(matches=len(matches))
    return SearchResult(
        matches=matches,
        files=files,
        searched=searched,
        skipped_binary=binary,
        skipped_large=large,
        more=more,
    )


def _depth_of(glob: str | None) -> int:
    """How many levels down there may be what a glob fits; one that has no slash is for names, here."""
    if glob is None:
        return 1
    return _DEEPEST if "**" in glob else glob.strip("/").count("/") + 1


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

    name = name_bytes(named_from(place, messages.text(record, "path")))
    return SearchMatch(
        path=redact(display_name(name)),
        path_bytes=exact_name(name),
        line=messages.integer(record, "line", low=1, high=2**53),
        text=readable(messages.text(record, "text")),
        before=tuple(map(readable, messages.texts(record, "before"))),
        after=tuple(map(readable, messages.texts(record, "after"))),
    )


def _redacted(redactor: Redactor, lines: Sequence[str]) -> Sequence[str]:
    """The same lines, as many and in their places, without secrets."""
    clean = text_lines(redactor.text("".join(lines)))
    return clean if len(clean) == len(lines) else [redactor.text(line) for line in lines]


def _text(path: str, found: GuestFile) -> str:
    try:
        text = found.content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InvalidRequest(
            f"{guest_files.shown(path)} is not UTF-8 text",
            hint="Read it with <<encoding=base64>>, or look at it with a command.",
        )
    return text


def _within(lines: Sequence[str], max_chars: int | None) -> tuple[Sequence[str], int]:
    """As many whole lines as there is room for, and of a single longer one its beginning; and how much of that is missing."""
    if max_chars is None:
        return lines, 0
    kept: list[str] = []
    for line in lines:
        if len(line) > max_chars:
            return (kept, 0) if kept else ([line[:max_chars]], max(len(line.rstrip("\r\n")) - max_chars, 0))
        max_chars -= len(line)
        kept.append(line)
    return kept, 0


def _content(
    path: str,
    found: GuestFile,
    content: str,
    encoding: Encoding,
    lines: tuple[int, int, int],
    truncated: bool,
) -> FileContent:
    return FileContent(
        path=guest_files.shown(path),
        path_bytes=exact_name(name_bytes(path)),
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
