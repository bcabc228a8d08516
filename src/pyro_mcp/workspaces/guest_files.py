"""Read and change files through the agent: names and records that a guest sent, checked before anybody believes them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest
from pyro_mcp.workspaces.session import Session
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

GuestKind = Literal["file", "dir", "link", "other", "absent"]
Layer = Literal["now", "seed"]
_KINDS: Mapping[str, GuestKind] = {
    "file": "file",
    "dir": "dir",
    "link": "link",
    "other": "other",
    "absent": "absent",
}
# Far above what any request of ours asks for: a guest that sends more is lying.
_MOST_BYTES = 1 << 30
_LARGEST = 2**62
# A change up to this size is held in memory; a larger one waits in a file until all of it is known to be sendable.
_IN_MEMORY = 8 << 20


def guest_path(path: str | bytes) -> str:
    """Write a path as it travels to the agent."""
    if isinstance(path, bytes):
        return path.decode("utf-8", "surrogateescape")
    name_bytes(path)
    return path


def name_bytes(path: str) -> bytes:
    """Give a name as the bytes it stands for. Raises InvalidRequest for half of a surrogate pair, which stands for none."""
    return text_bytes(path, f"{path!a}")


def text_bytes(text: str, what: str) -> bytes:
    """Give a text as the bytes it stands for; raises InvalidRequest, about `what`, as name_bytes() does."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            f"{what} has half of a surrogate pair, which stands for no bytes",
            hint="Write the whole character.",
        ) from error


@dataclass(frozen=True, slots=True)
class GuestFile:
    """What is at a path, with a file's bytes where they were read."""

    kind: GuestKind
    mode: int
    size: int
    sha256: str | None = None
    target: str | None = None
    content: bytes = b""


@dataclass(slots=True)
class _Collector:
    """Bytes of the main body, bounded."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def take(self, _: int, data: bytes) -> None:
        self.size += len(data)
        if self.size > _MOST_BYTES:
            raise GuestFailed("the machine sent more than was asked for")
        self.parts.append(data)

    def joined(self) -> bytes:
        return b"".join(self.parts)


def stat(session: Session, path: str | bytes) -> GuestFile:
    """Look at a path; a link is itself."""
    return described(session.ask({"verb": "file.stat", "path": guest_path(path)}))


def read(session: Session, path: str | bytes, *, limit: int | None = None, layer: Layer = "now") -> GuestFile:
    """Read a file whole, or its first bytes, as it is or as it was seeded; the hash is always the whole file's."""
    body = _Collector()
    request: dict[str, object] = {
        "verb": "file.read",
        "path": guest_path(path),
        "hash": True,
        "limit": limit,
        "layer": layer,
    }
    answer = session.ask(request, on_data=body.take)
    return described(answer, body.joined())


def lines(session: Session, request: Message, *, body: bytes | None = None) -> tuple[list[Message], Message]:
    """Ask for records, one JSON object a line; give them with the answer."""
    told = _Collector()
    answer = session.ask(request, on_data=told.take, body=body)
    return [_record(line) for line in told.joined().splitlines()], answer


@dataclass(frozen=True, slots=True)
class Record:
    """One changed path with both states, and their bytes where they were sent."""

    path: bytes
    old: GuestFile | None
    new: GuestFile | None
    omitted: bool


def changes(session: Session, request: Message, *, body: bytes | None = None) -> tuple[list[Record], Message]:
    """Ask what differs from the seed; records are followed by the bytes they announce."""
    told = _Collector()
    answer = session.ask(request, on_data=told.take, body=body)
    return list(_parse_changes(told.joined())), answer


def _parse_changes(data: bytes) -> Iterator[Record]:
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        if end < 0:
            raise _malformed("a record without an end")
        record = _record(data[at:end])
        at = end + 1
        try:
            sizes = [
                messages.integer(record, name, low=0, high=_LARGEST) for name in ("old_bytes", "new_bytes")
            ]
            omitted = messages.flag(record, "omitted", default=False)
            path = messages.text(record, "path")
        except MessageError as error:
            raise _malformed(str(error)) from error
        if at + sum(sizes) > len(data):
            raise _malformed("a record that announces more bytes than came")
        old, new = data[at : at + sizes[0]], data[at + sizes[0] : at + sum(sizes)]
        at += sum(sizes)
        yield Record(name_bytes(path), _side(record.get("old"), old), _side(record.get("new"), new), omitted)


def _side(value: object, content: bytes) -> GuestFile | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _malformed("a state that is no object")
    return described(value, content)


# -- changing -------------------------------------------------------------------------------------------------------------


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
        raise _malformed("an answer without entries")
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


# -- reading what a guest says --------------------------------------------------------------------------------------------


def _record(line: bytes) -> Message:
    try:
        return messages.unpack(line)
    except MessageError as error:
        raise _malformed(str(error)) from error


def described(message: Message, content: bytes = b"") -> GuestFile:
    """Check what a guest says of one path. Raises GuestFailed for what makes no sense."""
    try:
        return GuestFile(
            kind=_KINDS[messages.text(message, "kind")],
            mode=messages.integer(message, "mode", low=0, high=0o177777),
            size=messages.integer(message, "size", low=0, high=_LARGEST),
            sha256=messages.optional_text(message, "sha256"),
            target=messages.optional_text(message, "target"),
            content=content,
        )
    except (MessageError, KeyError) as error:
        raise _malformed(str(error)) from error


def _malformed(details: str) -> GuestFailed:
    return GuestFailed("the machine described a file in a way that makes no sense", details=details)
