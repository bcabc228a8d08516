"""Write an uncompressed squashfs 4.0 image in one pass: file contents as they come, then the tables.

Our own writer, because each file is then read once, to be checked, hashed and stored; every name, mode and hole is taken as it
is; and no program is run. Uncompressed, the format is simple: contents lie in the image byte by byte, and a place in a table
(squashfs_tables.py) is arithmetic. Format: the kernel's fs/squashfs/squashfs_fs.h. See docs/design/seeding.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import BinaryIO

from pyro_mcp.workspaces.seeding.squashfs_tables import Extent, Node, Table, describe, number_nodes

# A kernel takes pages for a whole block before it reads one page of it, and gives back what a small file has not.
_BLOCK_LOG = 16
BLOCK = 1 << _BLOCK_LOG
_UNCOMPRESSED = 1 << 24  # in a block's size
_HOLE = 0  # the size of a block that is nothing but zeros and is not stored
_METADATA_UNCOMPRESSED = 0x8000
_SUPERBLOCK = struct.Struct("<IIIIIHHHHHHQQQQQQQQ")
_NOWHERE = 0xFFFF_FFFF_FFFF_FFFF
# Inodes, data, fragments and ids uncompressed; exportable; no extended attributes.
_FLAGS = 0x0001 | 0x0002 | 0x0008 | 0x0080 | 0x0200 | 0x0800
# Files up to this size share blocks, so that whoever reads many of them waits for the drive once per block and not once per
# file. A larger one has blocks of its own, which a kernel reads straight into its pages instead of by way of a cache.
_SHARED = 32 << 10
_GZIP = 1  # named, never used; a kernel must know the compression named, and all know this one
_BUFFER = 1 << 20


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
        directories, count = number_nodes(root)
        self._end_fragment()
        inodes, listings, places = Table(), Table(), [0] * count
        for directory in reversed(directories):
            describe(directory, inodes, listings, places)
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

    def _put_table(self, table: Table) -> int:
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
        table = Table()
        table.buffer += content
        starts = []
        for block in table.blocks():
            starts.append(self.position)
            self._put(struct.pack("<H", len(block) | _METADATA_UNCOMPRESSED))
            self._put(block)
        index = self.position
        self._put(struct.pack(f"<{len(starts)}Q", *starts))
        return index
