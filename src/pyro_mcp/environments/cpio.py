"""Write the kernel's initramfs format (cpio, "newc"), byte for byte the same for the same members.

Pure: members in, bytes out. Owner and times are fixed, since an initramfs needs neither and a digest of it should
move only when its content does.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass

_MAGIC = b"070701"
_TRAILER = "TRAILER!!!"


@dataclass(frozen=True)
class Member:
    """One entry of an archive: a file, a directory or (with `stat.S_IFLNK` in `mode`) a link whose data is its target."""

    path: str
    mode: int
    data: bytes = b""


def directory(path: str, mode: int = 0o755) -> Member:
    """Return a directory entry."""
    return Member(path, stat.S_IFDIR | mode)


def file(path: str, data: bytes, mode: int = 0o644) -> Member:
    """Return a regular file entry."""
    return Member(path, stat.S_IFREG | mode, data)


def link(path: str, target: str) -> Member:
    """Return a symbolic link entry."""
    return Member(path, stat.S_IFLNK | 0o777, target.encode())


def archive(members: Iterable[Member]) -> bytes:
    """Return the members as one archive; archives may be appended to each other, and the kernel unpacks them in turn."""
    parts = [_entry(inode, member) for inode, member in enumerate(members, start=1)]
    parts.append(_entry(0, Member(_TRAILER, 0)))
    return b"".join(parts)


def _entry(inode: int, member: Member) -> bytes:
    name = member.path.lstrip("/").encode() + b"\0"
    links = 2 if stat.S_ISDIR(member.mode) else 1
    # inode, mode, uid, gid, nlink, mtime, size, device ×2, special device ×2, name's length, checksum (unused)
    fields = (inode, member.mode, 0, 0, links, 0, len(member.data), 0, 0, 0, 0, len(name), 0)
    header = _MAGIC + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(member.data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
