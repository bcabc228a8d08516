"""Read which paths a git index tracks (gitformat-index(5), versions 2 to 4). Pure.

Not by libgit2: importing it costs a fifth of a second of every `create`, and a list of names needs no more than this.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

# Version 4 compresses names: a small hostile file could otherwise become gigabytes of them.
_MOST_NAME_BYTES = 256 << 20
_STATUS = 40  # what stat() told, before the hash
_EXTENDED = 0x4000


class IndexUnreadable(ValueError):
    """The index is damaged, or of a kind that is not read here."""


def tracked_paths(index: bytes, hash_size: int) -> Iterator[tuple[bytes, int]]:
    """Give every path with its mode (0o160000 is a submodule). `hash_size` is 20, or 32 in a SHA-256 repository."""
    if len(index) < 12 + hash_size or index[:4] != b"DIRC":
        raise IndexUnreadable("it is not a git index")
    version, count = struct.unpack_from(">II", index, 4)
    if version not in (2, 3, 4):
        raise IndexUnreadable(f"it has version {version}, which is not known here")
    at, path, total = 12, b"", 0
    try:
        for _ in range(count):
            mode, flags = _facts(index, at, hash_size)
            name_at = at + _STATUS + hash_size + (4 if flags & _EXTENDED else 2)
            kept = 0
            if version == 4:
                strip, name_at = _varint(index, name_at)
                kept = len(path) - strip
            end = index.index(b"\0", name_at)
            path = path[:kept] + index[name_at:end]
            at = end + 1 if version == 4 else at + ((end - at) // 8 + 1) * 8
            total += len(path)
            if kept < 0 or total > _MOST_NAME_BYTES:
                raise IndexUnreadable("its names make no sense")
            yield path, mode
    except (struct.error, IndexError, ValueError) as error:
        raise IndexUnreadable(
            str(error) if isinstance(error, IndexUnreadable) else "it is damaged"
        ) from error
    if b"link" in _extensions(index, at, hash_size):
        raise IndexUnreadable("it is split in two; 'git update-index --no-split-index' would join it")


def _facts(index: bytes, at: int, hash_size: int) -> tuple[int, int]:
    (mode,) = struct.unpack_from(">I", index, at + 24)
    (flags,) = struct.unpack_from(">H", index, at + _STATUS + hash_size)
    return mode, flags


def _varint(index: bytes, at: int) -> tuple[int, int]:
    """The variable-length number of pack files: seven bits a byte, one added for each byte that goes on."""
    value = index[at] & 0x7F
    while index[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (index[at] & 0x7F)
        if value > 1 << 32:
            raise IndexUnreadable("its names make no sense")
    return value, at + 1


def _extensions(index: bytes, at: int, hash_size: int) -> set[bytes]:
    found: set[bytes] = set()
    while at + 8 <= len(index) - hash_size:
        found.add(index[at : at + 4])
        at += 8 + int(struct.unpack_from(">I", index, at + 4)[0])
    return found
