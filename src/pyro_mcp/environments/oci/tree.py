"""Merge the layers of an image into one tree. Pure: entries in, a tree out; no file of this host is looked at.

A later layer replaces what earlier ones had, by the rules of the OCI image format: `.wh.NAME` takes NAME of the layers
below away, `.wh..wh..opq` all that they had in that directory. No link is ever followed on the way to a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyro_mcp.environments.oci.limits import Limits, Spent
from pyro_mcp.environments.oci.tarstream import Kind, Member
from pyro_mcp.errors import InvalidRequest

_WHITEOUT = b".wh."
_OPAQUE = b".wh..wh..opq"
_RESERVED = b".wh..wh."
# What Linux, and squashfs with it, can name.
_LONGEST_NAME, _LONGEST_PATH, _LONGEST_TARGET = 255, 4095, 4095
_LARGEST_ID = 2**32 - 2
_LATEST = 2**32 - 1  # what a squashfs can note
# A guest's own business, or this host's: trusted.overlay.* would speak to the overlay that the image is mounted in.
_CAPABILITY, _USER_XATTRS = b"security.capability", b"user."
_LONGEST_XATTR, _LARGEST_XATTR = 255, 64 << 10

Parts = tuple[bytes, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Inode:
    """What a name stands for; hard links share one. `origin` tells where a file's content is: its layer, and its place there."""

    kind: Kind
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    size: int = 0
    target: bytes = b""
    xattrs: tuple[tuple[bytes, bytes], ...] = ()
    origin: tuple[int, int] = (0, 0)


class Node:
    """A name in the tree."""

    __slots__ = ("children", "inode")

    def __init__(self, inode: Inode) -> None:
        self.inode = inode
        self.children: dict[bytes, Node] = {}

    @property
    def is_directory(self) -> bool:
        """Whether names can stand below this one."""
        return self.inode.kind == "directory"


class Tree:
    """The files of an image, after so many of its layers."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.root = Node(Inode("directory"))
        self._spent = Spent(limits or Limits())

    def apply(self, number: int, entries: Iterable[Member]) -> None:
        """Put a layer on top: first what it takes away of those below, in whatever order it says so, then what it brings."""
        brought: list[tuple[int, Parts, Member]] = []
        for place, member in enumerate(entries):
            self._spent.entry(_weight(member))
            parts = _parts(member.name, number)
            if not any(part.startswith(_WHITEOUT) for part in parts):
                brought.append((place, parts, member))
            else:
                self._take_away(parts, number)
        for place, parts, member in brought:
            self._bring(parts, member, (number, place))

    def walk(self) -> Iterator[tuple[bytes, Inode]]:
        """Give all paths but the root's, parents first, in the order of their names."""
        waiting = [(b"", self.root)]
        while waiting:
            above, node = waiting.pop()
            for name in sorted(node.children, reverse=True):
                child = node.children[name]
                waiting.append((above + b"/" + name if above else name, child))
            if above:
                yield above, node.inode

    def find(self, parts: Sequence[bytes]) -> Node | None:
        """Find a name, following no link."""
        node = self.root
        for part in parts:
            found = node.children.get(part)
            if found is None:
                return None
            node = found
        return node

    def is_crossed(self, parts: Sequence[bytes]) -> bool:
        """Whether something other than a directory stands on the way to a name, or in its place."""
        ways = (self.find(parts[: depth + 1]) for depth in range(len(parts)))
        return any(node is not None and not node.is_directory for node in ways)

    def make_directory(self, parts: Parts, mode: int = 0o755) -> None:
        """Put an empty directory where nothing is, and what is missing above it."""
        above = self._folder(parts[:-1])
        if parts[-1] not in above.children:
            above.children[parts[-1]] = Node(Inode("directory", mode))

    def _take_away(self, parts: Parts, number: int) -> None:
        """Carry out a whiteout. All that is in the tree now is from the layers below."""
        *above, name = parts
        if any(part.startswith(_RESERVED) for part in parts) and name != _OPAQUE:
            return  # the book-keeping of aufs
        if any(part.startswith(_WHITEOUT) for part in above) or name[len(_WHITEOUT) :] in (b"", b".", b".."):
            raise _refused(number, parts, "is no whiteout that means anything")
        folder = self.find(above)
        if folder is None:
            return
        if name == _OPAQUE:
            folder.children.clear()
        else:
            folder.children.pop(name[len(_WHITEOUT) :], None)

    def _bring(self, parts: Parts, member: Member, origin: tuple[int, int]) -> None:
        if not parts:
            if member.kind != "directory":
                raise _refused(origin[0], parts, f"is a {member.kind} in the place of the root")
            self.root.inode = _inode(member, origin)
            return
        folder = self._folder(parts[:-1], origin[0])
        if member.kind == "device":  # the guest has its own
            folder.children.pop(parts[-1], None)
            return
        inode = self._linked(member, parts, origin) if member.kind == "hardlink" else _inode(member, origin)
        present = folder.children.get(parts[-1])
        if present is not None and present.is_directory and inode.kind == "directory":
            present.inode = inode
        else:
            folder.children[parts[-1]] = Node(inode)

    def _linked(self, member: Member, parts: Parts, origin: tuple[int, int]) -> Inode:
        target = self.find(_parts(member.target, origin[0]))
        if target is None or target.is_directory:
            raise _refused(
                origin[0], parts, f"is a hard link to {member.target!r}, which is no file of the image"
            )
        return target.inode

    def _folder(self, parts: Sequence[bytes], number: int = 0) -> Node:
        """Give the directory of that name, made where it is missing."""
        node = self.root
        for depth, part in enumerate(parts):
            found = node.children.get(part)
            if found is None:
                self._spent.entry()
                found = node.children[part] = Node(Inode("directory"))
            elif not found.is_directory:
                what = "a link" if found.inode.kind == "link" else "no directory"
                raise _refused(number, parts[: depth + 1], f"is {what}, and something is to stand below it")
            node = found
        return node


def _parts(name: bytes, number: int) -> Parts:
    """Take a name apart. An absolute one is meant from the image's root; one that climbs is refused."""
    parts = tuple(part for part in name.split(b"/") if part not in (b"", b"."))
    if b".." in parts:
        raise _refused(number, parts, "leads upwards")
    if not is_nameable(name, parts):
        raise _refused(number, (name[:_LONGEST_NAME],), "is a name that Linux cannot have")
    return parts


def is_nameable(path: bytes, parts: Sequence[bytes]) -> bool:
    """Whether Linux can have a path. A deep one would also cost its length squared: each directory has a path of its own."""
    return (
        b"\0" not in path and len(path) <= _LONGEST_PATH and all(len(part) <= _LONGEST_NAME for part in parts)
    )


def _inode(member: Member, origin: tuple[int, int]) -> Inode:
    if member.uid > _LARGEST_ID or member.gid > _LARGEST_ID:
        raise _refused(
            origin[0], (member.name,), f"belongs to {member.uid}:{member.gid}, which nobody can be"
        )
    target = member.target if member.kind == "link" else b""
    if member.kind == "link" and (not target or b"\0" in target or len(target) > _LONGEST_TARGET):
        raise _refused(origin[0], (member.name,), "is a link that leads nowhere that Linux can name")
    return Inode(
        kind=member.kind,
        mode=member.mode,
        uid=member.uid,
        gid=member.gid,
        mtime=min(max(member.mtime, 0), _LATEST),
        size=member.size,
        target=target,
        xattrs=tuple(pair for pair in member.xattrs if _is_kept(*pair)),
        origin=origin,
    )


def _is_kept(key: bytes, value: bytes) -> bool:
    known = key == _CAPABILITY or key.startswith(_USER_XATTRS)
    return known and b"\0" not in key and len(key) <= _LONGEST_XATTR and len(value) <= _LARGEST_XATTR


def _weight(member: Member) -> int:
    return len(member.name) + len(member.target) + sum(len(key) + len(value) for key, value in member.xattrs)


def _refused(number: int, parts: Sequence[bytes], why: str) -> InvalidRequest:
    name = "/" + b"/".join(parts).decode(errors="backslashreplace")
    return InvalidRequest(
        f"layer {number + 1} of the image: {name[:200]!r} {why}",
        hint="Nothing of the image was kept. Build it anew with the tool that made it, or with another.",
    )
