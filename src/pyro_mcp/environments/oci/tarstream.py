"""Read tar archives (ustar, GNU and pax) as they stream by, one entry after the other.

Not tarfile: that keeps every entry, reads a header's extension whatever its size says, and takes garbage for the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pyro_mcp.errors import InvalidRequest

BLOCK = 512
# A long name, or a pax header with all its attributes: an ext4 file has at most 64 KiB of them.
_LARGEST_EXTENSION = 1 << 20
_OCTAL = re.compile(rb"[0-7]*")
_DECIMAL = re.compile(rb"[0-9]{1,20}")
_TIME = re.compile(rb"-?[0-9]{1,19}(\.[0-9]*)?")

Kind = Literal["file", "directory", "link", "hardlink", "fifo", "device"]
_KINDS: dict[bytes, Kind] = {
    b"\0": "file",
    b"0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "link",
    b"3": "device",
    b"4": "device",
    b"5": "directory",
    b"6": "fifo",
}
_XATTR = b"SCHILY.xattr."


class Bytes(Protocol):
    """What an archive is read from, front to back."""

    position: int

    def read(self, size: int) -> bytes:
        """Give exactly so many bytes, fewer at the end only."""
        ...

    def skip(self, size: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Member:
    """One entry. Its content, if it is a file, is what the source gives next."""

    name: bytes
    kind: Kind
    mode: int
    uid: int
    gid: int
    mtime: int
    size: int = 0
    target: bytes = b""  # of a link or hard link
    xattrs: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(slots=True)
class _Extension:
    """What the headers before an entry say about it."""

    fields: dict[bytes, bytes] = field(default_factory=dict)
    size: int = 0
    long_name: bytes | None = None
    long_target: bytes | None = None


def members(source: Bytes) -> Iterator[Member]:
    """Give the entries in order. Content that was not read is skipped. Raises InvalidRequest where this is no sound archive."""
    extension = _Extension()
    while header := source.read(BLOCK):
        if len(header) < BLOCK:
            raise unsound("it ends in the middle of a header")
        if not any(header):
            return
        _check_sum(header)
        kind = header[156:157]
        if kind in b"xgLK":
            size = _number(header[124:136])
            extension.size += size
            if extension.size > _LARGEST_EXTENSION:
                raise unsound(f"headers of {extension.size} bytes before an entry")
            _extend(extension, kind, _extension_of(source, size))
            continue
        member = _member(header, kind, extension)
        extension = _Extension()
        end = source.position + -(-member.size // BLOCK) * BLOCK
        yield member
        source.skip(end - source.position)


def unsound(why: str) -> InvalidRequest:
    """Build the error for something that is no tar archive, or a damaged one."""
    return InvalidRequest(
        f"this is no sound tar archive: {why}", hint="Save the image again; the file may have been cut short."
    )


def _check_sum(header: bytes) -> None:
    wanted = _number(header[148:156])
    if sum(header) - sum(header[148:156]) + 8 * 32 != wanted:
        raise unsound("the check sum of a header is wrong")


def _extension_of(source: Bytes, size: int) -> bytes:
    data = source.read(size)
    if len(data) < size:
        raise unsound("it ends in the middle of a header")
    source.skip(-size % BLOCK)
    return data


def _extend(extension: _Extension, kind: bytes, data: bytes) -> None:
    if kind == b"L":
        extension.long_name = data.split(b"\0")[0]
    elif kind == b"K":
        extension.long_target = data.split(b"\0")[0]
    elif kind == b"x":
        extension.fields |= _records(data)
    # g, for all entries to come: git's commit and the like. No image builder says anything in it, docker passes over it.


def _records(data: bytes) -> dict[bytes, bytes]:
    """Read a pax header: `LENGTH KEY=VALUE\n`, the length of all of it."""
    found = {}
    at = 0
    while at < len(data):
        length, space, _ = data[at : at + 21].partition(b" ")
        if not space or not _DECIMAL.fullmatch(length):
            raise unsound("a pax header has no length")
        record = data[at : at + int(length)]
        key, equals, value = record[len(length) + 1 : -1].partition(b"=")
        if len(record) != int(length) or not equals or record[-1:] != b"\n":
            raise unsound("a pax header is cut short")
        found[key] = value
        at += len(record)
    return found


def _member(header: bytes, kind: bytes, extension: _Extension) -> Member:
    said = extension.fields
    name = said.get(b"path") or extension.long_name or _name(header)
    is_directory = kind == b"\0" and name.endswith(b"/")  # as archives did before there was a kind for it
    what = "directory" if is_directory else _KINDS.get(kind)
    if what is None or any(key.startswith(b"GNU.sparse.") for key in said):
        raise InvalidRequest(
            f"{name!r} is of a kind that image layers do not have ({'sparse' if said else repr(kind)})",
            hint="Save the image again with docker save or podman save.",
        )
    return Member(
        name=name,
        kind=what,
        mode=_number(header[100:108]) & 0o7777,
        uid=_said(said, b"uid", header[108:116]),
        gid=_said(said, b"gid", header[116:124]),
        mtime=_time(said[b"mtime"]) if b"mtime" in said else _number(header[136:148]),
        size=_said(said, b"size", header[124:136]) if what == "file" else 0,
        target=said.get(b"linkpath") or extension.long_target or header[157:257].split(b"\0")[0],
        xattrs=tuple(
            (key.removeprefix(_XATTR), value) for key, value in said.items() if key.startswith(_XATTR)
        ),
    )


def _name(header: bytes) -> bytes:
    name = header[:100].split(b"\0")[0]
    prefix = header[345:500].split(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _said(fields: dict[bytes, bytes], key: bytes, otherwise: bytes) -> int:
    """Take a number that a pax header may say instead of the field."""
    text = fields.get(key)
    value = _number(otherwise) if text is None else _decimal(text)
    if value < 0:
        raise unsound(f"{key.decode()} is {value}")
    return value


def _decimal(text: bytes) -> int:
    if not _DECIMAL.fullmatch(text):
        raise unsound("a pax header has no number where one belongs")
    return int(text)


def _time(text: bytes) -> int:
    if not _TIME.fullmatch(text):
        raise unsound("a pax header has no time where one belongs")
    return int(text.partition(b".")[0])


def _number(text: bytes) -> int:
    """Read a field: octal digits, or (GNU) base 256 behind a first bit that is set, negative behind two of them."""
    if text[0] & 0x80:
        value = int.from_bytes(text, "big", signed=True)
        return value if text[0] == 0xFF else value + (1 << (8 * len(text) - 1))
    digits = text.split(b"\0")[0].strip(b" ")
    if not _OCTAL.fullmatch(digits):
        raise unsound("a header has no number where one belongs")
    return int(digits or b"0", 8)
