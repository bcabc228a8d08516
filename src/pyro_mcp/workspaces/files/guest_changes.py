"""Change files through the agent: steps that are carried out all or not at all."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.errors import Conflict
from pyro_mcp.workspaces.files.guest_files import guest_path, malformed
from pyro_mcp.workspaces.session import Session
from pyro_wire.messages import Message

# A change up to this size is held in memory; a larger one waits in a file until all of it is known to be sendable.
_IN_MEMORY = 8 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of an all-or-nothing change, with the bytes of a write, or what gives exactly these piece by piece."""

    fields: Message
    content: bytes | Callable[[], Iterable[bytes]] = b""


def write_step(
    path: str | bytes, content: bytes, *, mode: int | None = None, expect: Message | None = None
) -> Step:
    """Write a whole file; without a mode it keeps what it has."""
    fields: dict[str, object] = {"op": "write", "path": guest_path(path), "size": len(content)}
    return Step({**fields, **_optional(mode=mode, expect=expect)}, content)


def write_stream_step(
    path: str | bytes,
    pieces: Callable[[], Iterable[bytes]],
    *,
    size: int,
    mode: int,
    expect: Message | None = None,
) -> Step:
    """Write a whole file of `size` bytes that come piece by piece."""
    fields: dict[str, object] = {"op": "write", "path": guest_path(path), "size": size, "mode": mode}
    return Step({**fields, **_optional(expect=expect)}, pieces)


def link_step(path: str | bytes, target: bytes, *, expect: Message | None = None) -> Step:
    """Put a symlink at a path."""
    fields: dict[str, object] = {"op": "symlink", "path": guest_path(path), "target": guest_path(target)}
    return Step({**fields, **_optional(expect=expect)})


def remove_step(path: str | bytes, *, recursive: bool = False, expect: Message | None = None) -> Step:
    """Remove what is at a path."""
    fields: dict[str, object] = {"op": "remove", "path": guest_path(path), "recursive": recursive}
    return Step({**fields, **_optional(expect=expect)})


def remove_if_empty_step(path: str | bytes) -> Step:
    """Remove a directory that holds nothing by then; leave anything else as it is."""
    return Step({"op": "remove", "path": guest_path(path), "if_empty": True})


def move_step(path: str | bytes, to: str | bytes) -> Step:
    """Rename."""
    return Step({"op": "move", "path": guest_path(path), "to": guest_path(to)})


def mkdir_step(path: str | bytes, *, mode: int) -> Step:
    """Make a directory, with those above it; one that is there gets the mode."""
    return Step({"op": "mkdir", "path": guest_path(path), "mode": mode})


def chmod_step(path: str | bytes, *, mode: int) -> Step:
    """Set the mode of a file or directory."""
    return Step({"op": "chmod", "path": guest_path(path), "mode": mode})


def apply(session: Session, steps: Iterable[Step], *, spool: Path | None = None) -> list[Message]:
    """Carry out all steps or none, lastingly; raises Conflict naming the paths whose expectations do not hold.

    What is to be sent is written out whole before anything is sent, large things below `spool`: a step whose content cannot
    be had leaves everything as it was.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=None if spool is None else str(spool)) as body:
        for step in steps:
            _write_step(body, step)
        answer = _send(session, body)
    entries = answer.get("entries")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise malformed("an answer without entries")
    return entries


def _write_step(body: tempfile.SpooledTemporaryFile[bytes], step: Step) -> None:
    body.write(json.dumps(step.fields).encode() + b"\n")
    if isinstance(step.content, bytes):
        body.write(step.content)
        return
    begin = body.tell()
    for piece in step.content():
        body.write(piece)
    if body.tell() - begin != step.fields["size"]:
        # Else what follows would be taken for its bytes, or its bytes for what follows.
        raise Conflict("a file changed while it was sent", hint="Nothing was changed. Try again.")


def _send(session: Session, body: tempfile.SpooledTemporaryFile[bytes]) -> Message:
    size = body.tell()
    body.seek(0)
    if size <= _IN_MEMORY:
        return session.ask({"verb": "tree.apply"}, body=body.read())
    return session.ask({"verb": "tree.apply"}, body=body)


def _optional(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
