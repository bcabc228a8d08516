"""Change files of a workspace: write, edit, remove, each of them whole or not at all."""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Sequence

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest, NotFound
from pyro_mcp.models.edit import Edit
from pyro_mcp.models.file import FileEdited, FileRemoved, FileWritten
from pyro_mcp.workspaces.files import guest_changes, guest_files
from pyro_mcp.workspaces.files.edit import plan_edits
from pyro_mcp.workspaces.files.guest_changes import Step
from pyro_mcp.workspaces.files.guest_files import text_bytes
from pyro_mcp.workspaces.files.near import naming_near
from pyro_mcp.workspaces.files.reading import LARGEST_TEXT, Encoding
from pyro_mcp.workspaces.session import Session
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

_MOST_LINKS = 40


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
    path = guest_files.meant(session, path)
    data = _data(content, encoding)
    mode = None if executable is None else 0o755 if executable else 0o644
    step = guest_changes.write_step(
        _behind_links(session, path), data, mode=mode, expect=_expectation(if_match)
    )
    return _written(path, data, guest_changes.apply(session, [step]))


def edit_file(session: Session, path: str, edits: Sequence[Edit], *, if_match: str | None) -> FileEdited:
    """Make exact replacements, all or none."""
    path = guest_files.meant(session, path)
    with naming_near(session, path):
        found = guest_files.read(session, path, limit=LARGEST_TEXT)
    if if_match is not None and found.sha256 != if_match:
        raise Conflict(
            f"{guest_files.shown(path)} is not the file you read",
            hint="Read it again; somebody changed it in between.",
        )
    if found.size > len(found.content):
        raise InvalidRequest(
            f"{guest_files.shown(path)} has {found.size} bytes, too many to edit",
            hint="Use a command for that.",
        )
    plan = plan_edits(found.content, edits)
    # What was planned on is what must still be there: another writer in between is noticed, not overwritten.
    place = path if found.target is None else _behind_links(session, path)
    step = guest_changes.write_step(place, plan.content, expect={"sha256": found.sha256})
    written = _written(path, plan.content, guest_changes.apply(session, [step]))
    return FileEdited(
        path=guest_files.shown(path),
        replacements=plan.report.replacements,
        total=plan.report.total,
        size=written.size,
        sha256=written.sha256,
        line_endings_adapted=plan.report.line_endings_adapted,
    )


def remove_file(session: Session, path: str, *, to: str | None, recursive: bool) -> FileRemoved:
    """Delete a file or directory, or move it."""
    path = guest_files.meant(session, path)
    found = guest_files.stat(session, path)
    if found.kind == "absent":
        with naming_near(session, path):
            raise NotFound(f"there is no {guest_files.shown(path)} in the workspace")
    if found.kind == "dir" and to is None and not recursive:
        raise Conflict(
            f"{guest_files.shown(path)} is a directory",
            hint="Give <<recursive=true>> to remove it with all that is in it.",
        )
    if to is not None and to != path and guest_files.stat(session, to).kind != "absent":
        raise Conflict(
            f"{guest_files.shown(to)} exists already", hint="Remove it first, or name another place."
        )
    step: Step = (
        guest_changes.move_step(path, to) if to else guest_changes.remove_step(path, recursive=recursive)
    )
    guest_changes.apply(session, [step])
    return FileRemoved(path=guest_files.shown(path), moved_to=None if to is None else guest_files.shown(to))


def _behind_links(session: Session, path: str) -> str:
    """Follow a link to the file that it stands for, as an editor does: the link stays a link."""
    for _ in range(_MOST_LINKS):
        found = guest_files.stat(session, path)
        if found.target is None:
            return path
        # The agent keeps to the workspace's root whatever a link says.
        path = posixpath.join(posixpath.dirname(path), found.target)
    raise InvalidRequest("too many links lead on from there", hint="Name the file itself.")


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
            path=guest_files.shown(path),
            size=len(data),
            mode=f"{messages.integer(entry, 'mode', low=0, high=0o177777) & 0o7777:04o}",
            sha256=messages.text(entry, "sha256"),
            created=messages.flag(entry, "created"),
        )
    except (MessageError, ValueError) as error:
        raise GuestFailed("the machine did not say what it wrote", details=str(error)) from error
