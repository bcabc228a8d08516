"""The tables of a squashfs image: what is said of each file, and what each directory lists. See squashfs.py.

Uncompressed, a place in a table is arithmetic.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

_METADATA = 8192
NO_FRAGMENT = 0xFFFF_FFFF
_DIRECTORY, _FILE, _SYMLINK = 1, 2, 3
_LONG_DIRECTORY, _LONG_FILE = 8, 9
_RUN = 256  # entries under one directory header
_INDEXED = 8192  # bytes of a listing between index entries: what a lookup reads at most

Kind = Literal["file", "directory", "symlink"]


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a file's content lies: `blocks` are the stored sizes, `holes` the bytes that are not stored.

    A small file has no blocks but a place in a shared one: the number of that fragment, and the offset in it.
    """

    start: int
    size: int
    blocks: tuple[int, ...]
    holes: int = 0
    fragment: int = NO_FRAGMENT
    offset: int = 0


@dataclass(slots=True)
class Node:
    """A file, directory or link of the image; all belong to root. `mtime` in seconds; `digest` is its maker's own affair."""

    name: bytes
    kind: Kind
    mode: int
    mtime: int
    extent: Extent | None = None
    target: bytes = b""
    digest: bytes = b""
    children: dict[bytes, Node] = field(default_factory=dict)
    number: int = 0
    place: int = 0


class Table:
    """Metadata: blocks of 8 KiB, each with a head of two bytes, so that where a byte comes to lie is arithmetic."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def place(self) -> tuple[int, int]:
        """Where the next byte goes: its block's start within the table on disk, and the offset in that block."""
        number, offset = divmod(len(self.buffer), _METADATA)
        return number * (_METADATA + 2), offset

    def blocks(self) -> Iterable[memoryview]:
        view = memoryview(self.buffer)
        return (view[at : at + _METADATA] for at in range(0, len(view), _METADATA))


def number_nodes(root: Node) -> tuple[list[Node], int]:
    """Number every node from 1, and list the directories, each before those in it."""
    root.number, count, directories = 1, 1, [root]
    for directory in directories:
        for name in sorted(directory.children):
            child = directory.children[name]
            count += 1
            child.number = count
            if child.kind == "directory":
                directories.append(child)
    root_parent = count + 1  # the kernel's own convention for the root's parent
    for directory in directories:
        for child in directory.children.values():
            child.place = directory.number  # borrowed until the node has a place
    root.place = root_parent
    return directories, count


def describe(directory: Node, inodes: Table, listings: Table, places: list[int]) -> None:
    """Write the inodes of a directory's files and links, its listing, and its own inode. Its directories have theirs."""
    for child in directory.children.values():
        if child.kind != "directory":
            packed = _pack_file(child) if child.kind == "file" else _pack_symlink(child)
            _place(child, packed, inodes, places)
    where = listings.place()
    start = len(listings.buffer)
    index = _list(directory, listings)
    size = len(listings.buffer) - start + 3
    _place(directory, _pack_directory(directory, where, size, index), inodes, places)


def _place(node: Node, packed: bytes, inodes: Table, places: list[int]) -> None:
    block, offset = inodes.place()
    node.place = block << 16 | offset
    places[node.number - 1] = node.place
    inodes.buffer += packed


def _head(kind: int, node: Node) -> bytes:
    return struct.pack(
        "<HHHHII", kind, node.mode & 0o7777, 0, 0, max(0, min(node.mtime, 0xFFFF_FFFF)), node.number
    )


def _pack_file(node: Node) -> bytes:
    extent = node.extent or Extent(0, 0, ())
    blocks = struct.pack(f"<{len(extent.blocks)}I", *extent.blocks)
    if extent.start < 1 << 32 and extent.size < 1 << 32 and not extent.holes:
        place = struct.pack("<IIII", extent.start, extent.fragment, extent.offset, extent.size)
        return _head(_FILE, node) + place + blocks
    # A hole that covers the whole file must still leave one block to count, as mksquashfs does.
    sparse = min(extent.holes, extent.size - 1) if extent.size else 0
    body = struct.pack(
        "<QQQIIII", extent.start, extent.size, sparse, 1, extent.fragment, extent.offset, NO_FRAGMENT
    )
    return _head(_LONG_FILE, node) + body + blocks


def _pack_symlink(node: Node) -> bytes:
    return _head(_SYMLINK, node) + struct.pack("<II", 1, len(node.target)) + node.target


def _pack_directory(node: Node, where: tuple[int, int], size: int, index: list[bytes]) -> bytes:
    block, offset = where
    links = 2 + sum(child.kind == "directory" for child in node.children.values())
    parent = node.place  # the parent's number until now
    if not index and size <= 0xFFFF:
        return _head(_DIRECTORY, node) + struct.pack("<IIHHI", block, links, size, offset, parent)
    body = struct.pack("<IIIIHHI", links, size, block, parent, len(index), offset, NO_FRAGMENT)
    return _head(_LONG_DIRECTORY, node) + body + b"".join(index)


_TYPES = {"directory": _DIRECTORY, "file": _FILE, "symlink": _SYMLINK}


def _list(directory: Node, listings: Table) -> list[bytes]:
    """Write a directory's listing in runs that share a block of inodes; gives the index of a long one."""
    begin = len(listings.buffer)
    indexed = begin
    index: list[bytes] = []
    for run in _runs(directory):
        at = len(listings.buffer)
        if at - indexed >= _INDEXED:
            block, _ = listings.place()
            name = run[0].name
            index.append(struct.pack("<III", at - begin, block, len(name) - 1) + name)
            indexed = at
        base = run[0].number
        listings.buffer += struct.pack("<III", len(run) - 1, run[0].place >> 16, base)
        for node in run:
            offset, delta = node.place & 0xFFFF, node.number - base
            listings.buffer += struct.pack("<HhHH", offset, delta, _TYPES[node.kind], len(node.name) - 1)
            listings.buffer += node.name
    return index


def _runs(directory: Node) -> Iterable[list[Node]]:
    run: list[Node] = []
    for name in sorted(directory.children):
        node = directory.children[name]
        if run and (
            len(run) == _RUN
            or node.place >> 16 != run[0].place >> 16
            or not -0x8000 <= node.number - run[0].number <= 0x7FFF
        ):
            yield run
            run = []
        run.append(node)
    if run:
        yield run
