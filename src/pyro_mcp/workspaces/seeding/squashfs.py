"""Write an uncompressed squashfs 4.0 image in one pass: file contents as they come, then the tables.

Our own writer, because each file is then read once, to be checked, hashed and stored; every name, mode and hole is taken as it
is; and no program is run. Uncompressed, the format is simple: contents lie in the image byte by byte, and a place in a table is
arithmetic. Format: the kernel's fs/squashfs/squashfs_fs.h. See docs/design/seeding.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

# A kernel takes pages for a whole block before it reads one page of it, and gives back what a small file has not.
_BLOCK_LOG = 16
BLOCK = 1 << _BLOCK_LOG
_UNCOMPRESSED = 1 << 24  # in a block's size
_HOLE = 0  # the size of a block that is nothing but zeros and is not stored
_METADATA = 8192
_METADATA_UNCOMPRESSED = 0x8000
_SUPERBLOCK = struct.Struct("<IIIIIHHHHHHQQQQQQQQ")
_NOWHERE = 0xFFFF_FFFF_FFFF_FFFF
_NO_FRAGMENT = 0xFFFF_FFFF
# Inodes, data, fragments and ids uncompressed; exportable; no extended attributes.
_FLAGS = 0x0001 | 0x0002 | 0x0008 | 0x0080 | 0x0200 | 0x0800
# Files up to this size share blocks, so that whoever reads many of them waits for the drive once per block and not once per
# file. A larger one has blocks of its own, which a kernel reads straight into its pages instead of by way of a cache.
_SHARED = 32 << 10
_GZIP = 1  # named, never used; a kernel must know the compression named, and all know this one
_DIRECTORY, _FILE, _SYMLINK = 1, 2, 3
_LONG_DIRECTORY, _LONG_FILE = 8, 9
_RUN = 256  # entries under one directory header
_INDEXED = 8192  # bytes of a listing between index entries: what a lookup reads at most
_BUFFER = 1 << 20

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
    fragment: int = _NO_FRAGMENT
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


class ImageWriter:
    """Writes one image to `file`, which is empty and seekable: contents first, then finish()."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._buffer = bytearray(_SUPERBLOCK.size)
        self._written = 0
        self._shared = bytearray()
        self._fragments: list[tuple[int, int]] = []

    @property
    def position(self) -> int:
        """How long the image is so far, in bytes."""
        return self._written + len(self._buffer)

    def store(self, content: bytes | bytearray | memoryview) -> Extent:
        """Store a whole file's content."""
        size = len(content)
        if 0 < size <= _SHARED:
            return self._share(content)
        start = self.position
        self._put(content)
        whole, rest = divmod(size, BLOCK)
        blocks = (BLOCK | _UNCOMPRESSED,) * whole + ((rest | _UNCOMPRESSED,) if rest else ())
        return Extent(start, size, blocks)

    def store_blocks(self, size: int, blocks: Iterable[bytes | None]) -> Extent:
        """Store a file that comes block by block, each of BLOCK bytes but the last; None is a block of zeros."""
        start, sizes, holes, left = self.position, [], 0, size
        for block in blocks:
            length = min(BLOCK, left)
            if block is None:
                sizes.append(_HOLE)
                holes += length
            else:
                if len(block) != length:
                    raise ValueError(f"a block of {len(block)} bytes where {length} belong")
                self._put(block)
                sizes.append(length | _UNCOMPRESSED)
            left -= length
        if left:
            raise ValueError(f"{left} bytes are missing")
        return Extent(start, size, tuple(sizes), holes)

    def finish(self, root: Node) -> int:
        """Write the tables over `root` and all below it; gives the image's length, a multiple of 4 KiB."""
        directories, count = _number(root)
        self._end_fragment()
        inodes, listings, places = _Table(), _Table(), [0] * count
        for directory in reversed(directories):
            _describe(directory, inodes, listings, places)
        inode_table = self._put_table(inodes)
        directory_table = self._put_table(listings)
        fragment_table = self._put_fragments()
        lookup_table = self._put_lookup(places)
        id_table = self._put_indexed(struct.pack("<I", 0))
        used = self.position
        self._put(bytes(-used % 4096))
        self._flush()
        self._file.seek(0)
        time = max(0, min(root.mtime, 0xFFFF_FFFF))
        tables = (id_table, _NOWHERE, inode_table, directory_table, fragment_table, lookup_table)
        facts = (
            count,
            time,
            BLOCK,
            len(self._fragments),
            _GZIP,
            _BLOCK_LOG,
            _FLAGS,
            1,
            4,
            0,
            root.place,
            used,
        )
        self._file.write(_SUPERBLOCK.pack(0x7371_7368, *facts, *tables))
        return self._written

    def _put(self, data: bytes | bytearray | memoryview) -> None:
        self._buffer += data
        if len(self._buffer) >= _BUFFER:
            self._flush()

    def _flush(self) -> None:
        self._file.write(self._buffer)
        self._written += len(self._buffer)
        self._buffer.clear()

    def _put_table(self, table: _Table) -> int:
        start = self.position
        for block in table.blocks():
            self._put(struct.pack("<H", len(block) | _METADATA_UNCOMPRESSED))
            self._put(block)
        return start

    def _share(self, content: bytes | bytearray | memoryview) -> Extent:
        if len(self._shared) + len(content) > BLOCK:
            self._end_fragment()
        offset = len(self._shared)
        self._shared += content
        return Extent(0, len(content), (), fragment=len(self._fragments), offset=offset)

    def _end_fragment(self) -> None:
        if self._shared:
            self._fragments.append((self.position, len(self._shared) | _UNCOMPRESSED))
            self._put(self._shared)
            self._shared.clear()

    def _put_fragments(self) -> int:
        if not self._fragments:
            return _NOWHERE
        return self._put_indexed(b"".join(struct.pack("<QII", *place, 0) for place in self._fragments))

    def _put_lookup(self, places: list[int]) -> int:
        return self._put_indexed(struct.pack(f"<{len(places)}Q", *places))

    def _put_indexed(self, content: bytes) -> int:
        """A table with an index of its blocks behind it, which is what the superblock points to."""
        table = _Table()
        table.buffer += content
        starts = []
        for block in table.blocks():
            starts.append(self.position)
            self._put(struct.pack("<H", len(block) | _METADATA_UNCOMPRESSED))
            self._put(block)
        index = self.position
        self._put(struct.pack(f"<{len(starts)}Q", *starts))
        return index


class _Table:
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


def _number(root: Node) -> tuple[list[Node], int]:
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


def _describe(directory: Node, inodes: _Table, listings: _Table, places: list[int]) -> None:
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


def _place(node: Node, packed: bytes, inodes: _Table, places: list[int]) -> None:
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
        "<QQQIIII", extent.start, extent.size, sparse, 1, extent.fragment, extent.offset, _NO_FRAGMENT
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
    body = struct.pack("<IIIIHHI", links, size, block, parent, len(index), offset, _NO_FRAGMENT)
    return _head(_LONG_DIRECTORY, node) + body + b"".join(index)


_TYPES = {"directory": _DIRECTORY, "file": _FILE, "symlink": _SYMLINK}


def _list(directory: Node, listings: _Table) -> list[bytes]:
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
