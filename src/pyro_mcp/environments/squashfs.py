"""Make squashfs images, and tell from the first bytes of one whether all of it is there.

Uncompressed: the page cache then holds what the guest reads, shared by all machines, and nothing is unpacked under emulation.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from pyro_mcp.environments import sandbox

_MAGIC = b"hsqs"
# bytes_used: a little-endian 64-bit number at byte 40 of the superblock.
_BYTES_USED = struct.Struct("<40xQ")
_SUPERBLOCK_SIZE = 96
# Inodes, data, fragments and attributes as they are; no times of the build in the image.
_FORMAT = ("-noI", "-noD", "-noF", "-noX", "-no-progress", "-quiet")


def pack_tree(
    tree: Path, image: Path, *, epoch: int, own_all: bool = False, without: Sequence[str] = ()
) -> None:
    """Pack a directory. Times after `epoch` become `epoch`; `own_all` gives everything to root.

    Earlier times stay: Python compares a source's with the one noted in its compiled form.
    """
    owner = ["-all-root"] if own_all else []
    # -e takes all that follows
    excluded = ["-wildcards", "-e", *without] if without else []
    command = ["mksquashfs", str(tree), str(image), "-noappend", *_FORMAT, *owner, *excluded]
    sandbox.run(command, scratch=image.parent, settings={"SOURCE_DATE_EPOCH": str(epoch)})


def pack_tar(archive: Path, image: Path, *, epoch: int) -> None:
    """Pack a tar archive, owners and modes as it says."""
    command = ["sh", "-c", 'archive=$1; shift; exec "$@" < "$archive"', "sqfstar", str(archive)]
    command += ["sqfstar", *_FORMAT, "-root-mode", "0755", str(image)]
    sandbox.run(command, scratch=image.parent, settings={"SOURCE_DATE_EPOCH": str(epoch)})


def pack_stream(feed: sandbox.Feed, image: Path, *, epoch: int, root_mode: int) -> None:
    """Pack the tar archive that `feed` writes, owners, modes and attributes as it says."""
    command = ["sqfstar", *_FORMAT, "-root-mode", f"{root_mode:04o}", str(image)]
    sandbox.run(command, scratch=image.parent, settings={"SOURCE_DATE_EPOCH": str(epoch)}, feed=feed)


def is_whole(image: Path) -> bool:
    """Whether the file starts like a squashfs and is as long as that start says."""
    with image.open("rb") as file:
        head = file.read(_SUPERBLOCK_SIZE)
    if len(head) < _SUPERBLOCK_SIZE or not head.startswith(_MAGIC):
        return False
    used: int = _BYTES_USED.unpack_from(head)[0]
    return image.stat().st_size >= used
