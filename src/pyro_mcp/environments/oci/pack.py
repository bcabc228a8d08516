"""Write a merged tree as one tar archive, its files' content taken from the layers once more."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping, Sequence
from itertools import count
from typing import IO

from pyro_mcp.environments.oci.container import Container
from pyro_mcp.environments.oci.image import Layer
from pyro_mcp.environments.oci.layers import LayerStream, unpacked
from pyro_mcp.environments.oci.limits import too_large
from pyro_mcp.environments.oci.tarstream import BLOCK, members, unsound
from pyro_mcp.environments.oci.tree import Inode, Tree
from pyro_mcp.progress import Step

_KINDS = {
    "file": tarfile.REGTYPE,
    "directory": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "fifo": tarfile.FIFOTYPE,
}
# What a squashfs can hold: it notes each owner once, by a number of 16 bits.
_MOST_OWNERS = 65_535


class Packing:
    """What is to be written, and in which order: all that has no content, then the files, layer by layer, then other names."""

    def __init__(self, tree: Tree) -> None:
        self.latest = 0
        self.content = 0
        self._plain: list[tuple[bytes, Inode]] = []
        self._files: dict[tuple[int, int], list[bytes]] = {}
        self._inodes: dict[tuple[int, int], Inode] = {}
        owners = {0}
        for path, inode in tree.walk():
            self.latest = max(self.latest, inode.mtime)
            owners |= {inode.uid, inode.gid}
            if inode.kind != "file":
                self._plain.append((path, inode))
                continue
            self.content += 0 if inode.origin in self._files else inode.size
            self._files.setdefault(inode.origin, []).append(path)
            self._inodes[inode.origin] = inode
        if len(owners) > _MOST_OWNERS:
            raise too_large(f"more than {_MOST_OWNERS:,} owners and groups")

    def write(self, pipe: IO[bytes], container: Container, layers: Sequence[Layer], packing: Step) -> None:
        """Write the archive. Every layer that gives something is read to its end, and its digests compared, once more."""
        for path, inode in self._plain:
            pipe.write(header(path, inode))
        for number, layer in enumerate(layers):
            wanted = {place: names for (of, place), names in self._files.items() if of == number}
            if wanted:
                packing.note(f"packing layer {number + 1} of {len(layers)}")
                with unpacked(container, layer) as stream:
                    self._write_files(pipe, stream, number, wanted)
        pipe.write(bytes(2 * BLOCK))

    def _write_files(
        self, pipe: IO[bytes], stream: LayerStream, number: int, wanted: Mapping[int, Sequence[bytes]]
    ) -> None:
        for place, member in enumerate(members(stream)):
            if place not in wanted:
                continue
            inode = self._inodes[number, place]
            if member.size != inode.size:
                raise unsound("it changed while it was read")
            first, *others = wanted[place]
            pipe.write(header(first, inode))
            for piece in stream.pieces(inode.size):
                pipe.write(piece)
            pipe.write(bytes(-inode.size % BLOCK))
            for other in others:
                pipe.write(_hard_link(other, first))


def header(path: bytes, inode: Inode) -> bytes:
    """Give what stands before a file's content: GNU's form, for names of any bytes, and pax's for attributes."""
    made = tarfile.TarInfo(_text(path))
    made.type, made.mode, made.mtime = _KINDS[inode.kind], inode.mode, inode.mtime
    made.uid, made.gid, made.size, made.linkname = inode.uid, inode.gid, inode.size, _text(inode.target)
    records = b"".join(_record(b"SCHILY.xattr." + key, value) for key, value in inode.xattrs)
    return (_extension(records) if records else b"") + _bytes(made)


def _hard_link(path: bytes, to: bytes) -> bytes:
    made = tarfile.TarInfo(_text(path))
    made.type, made.linkname = tarfile.LNKTYPE, _text(to)
    return _bytes(made)


def _extension(records: bytes) -> bytes:
    made = tarfile.TarInfo("attributes")
    made.type, made.size = tarfile.XHDTYPE, len(records)
    return _bytes(made) + records + bytes(-len(records) % BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    """`LENGTH KEY=VALUE\n`, where the length counts its own digits."""
    rest = b" %s=%s\n" % (key, value)
    length = next(size for size in count(len(rest)) if len(str(size)) + len(rest) == size)
    return b"%d%s" % (length, rest)


def _bytes(made: tarfile.TarInfo) -> bytes:
    return made.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
