"""Read files through the agent: names and records that a guest sent, checked before anybody believes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyro_mcp.errors import GuestFailed, InvalidRequest
from pyro_mcp.models.names import display_name, name_behind
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


def shown(path: str) -> str:
    """Write a path as answers have it."""
    return display_name(name_bytes(path))


def meant(session: Session, path: str) -> str:
    """Give a path as the guest has it, where it was given as an answer showed it: a name that is not UTF-8, with escapes."""
    name = name_behind(path)
    if name is None or stat(session, path).kind != "absent":
        return path
    exact = guest_path(name)
    return path if stat(session, exact).kind == "absent" else exact


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
            raise malformed("a record without an end")
        record = _record(data[at:end])
        at = end + 1
        try:
            sizes = [
                messages.integer(record, name, low=0, high=_LARGEST) for name in ("old_bytes", "new_bytes")
            ]
            omitted = messages.flag(record, "omitted", default=False)
            path = messages.text(record, "path")
        except MessageError as error:
            raise malformed(str(error)) from error
        if at + sum(sizes) > len(data):
            raise malformed("a record that announces more bytes than came")
        old, new = data[at : at + sizes[0]], data[at + sizes[0] : at + sum(sizes)]
        at += sum(sizes)
        yield Record(name_bytes(path), _side(record.get("old"), old), _side(record.get("new"), new), omitted)


def _side(value: object, content: bytes) -> GuestFile | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise malformed("a state that is no object")
    return described(value, content)


# -- reading what a guest says --------------------------------------------------------------------------------------------


def _record(line: bytes) -> Message:
    try:
        return messages.unpack(line)
    except MessageError as error:
        raise malformed(str(error)) from error


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
        raise malformed(str(error)) from error


def malformed(details: str) -> GuestFailed:
    """Make the error for an answer that no agent of ours gives."""
    return GuestFailed("the machine described a file in a way that makes no sense", details=details)
