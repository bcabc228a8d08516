"""Seed from a tar archive, compressed or not, in one pass. An archive may be hostile: nothing of it touches the host's files.

Members go straight from the stream into the image; `..`, absolute names, devices, links to members that are not there and names
below something that is no directory are left out and told. Sizes and counts are bounded before memory is.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from typing import IO, cast

from pyro_mcp.errors import InvalidRequest, LimitReached
from pyro_mcp.progress import step
from pyro_mcp.workspaces.seeding.build import ImageBuild
from pyro_mcp.workspaces.seeding.entries import Unseedable
from pyro_mcp.workspaces.seeding.findings import Findings
from pyro_mcp.workspaces.seeding.sensitive import HEAD, sensitive
from pyro_mcp.workspaces.seeding.squashfs import BLOCK
from pyro_mcp.workspaces.seeding.squashfs_tables import Extent

# The largest trees people work in (chromium) have 400,000 files; an image's tree costs half a kilobyte of memory each.
_MOST_MEMBERS = 1_000_000
_MOST_KEPT = 500_000
# What stands before a member's content: a long name, a link's target, extended attributes.
_LONGEST_HEADER = 1 << 20
_LONGEST_PATH = 4095
_LONGEST_NAME = 255
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class _Member(tarfile.TarInfo):
    """A member whose header is refused before it is read when it is larger than any honest one.

    tarfile reads such headers whole, and lists of a sparse member's parts without end: a few kilobytes of a compressed
    archive could otherwise fill the memory.
    """

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _HEADERS and self.size > _LONGEST_HEADER:
            raise InvalidRequest(
                "the archive has a header larger than any file name", hint="Make it anew with tar."
            )
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise _sparse()
        return cast(tarfile.TarInfo, super()._proc_member(archive))  # type: ignore[misc]  # undocumented, so not in the stubs

    def _proc_gnusparse_00(self, *_: object) -> None:
        raise _sparse()

    _proc_gnusparse_01 = _proc_gnusparse_00
    _proc_gnusparse_10 = _proc_gnusparse_00


def _sparse() -> InvalidRequest:
    return InvalidRequest(
        "the archive has sparse members, which are not supported",
        hint="Make it anew without --sparse, or seed from a directory, which keeps holes.",
    )


def is_archive(source: Path) -> bool:
    """Whether a file has the look of a tar archive that can be read."""
    try:
        with _opened(source):
            return True
    except (tarfile.TarError, EOFError, OSError, zlib.error, LZMAError, InvalidRequest):
        return False


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    """Read an archive as a stream. tarfile would unpack whatever 10 KiB of compressed data become, which may be gigabytes."""
    with source.open("rb") as raw:
        magic = raw.read(6)
        raw.seek(0)
        with (
            _uncompressed(raw, magic) as stream,
            tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member) as archive,
        ):
            yield archive


def _uncompressed(raw: IO[bytes], magic: bytes) -> IO[bytes]:
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if magic.startswith(b"BZh"):
        return bz2.BZ2File(raw)
    if magic.startswith(b"\xfd7zXZ"):
        return lzma.LZMAFile(raw)
    return raw


def store_archive(
    build: ImageBuild, source: Path, findings: Findings, *, withhold: bool, most_bytes: int
) -> None:
    """Put an archive's members into an image. Raises InvalidRequest for a broken archive, LimitReached for too large a one."""
    with (
        step(f"reading {source.name}", unit="files") as progress,
        _broken_is_told(source),
        _opened(source) as archive,
    ):
        for count, member in enumerate(archive, start=1):
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all
            _check_limits(build, count, member.size, most_bytes)
            path = _path(member.name)
            try:
                if path is None:
                    raise Unseedable("its name leads out of the archive, or is too long")
                _store(build, archive, member, path, findings, withhold)
            except Unseedable as reason:
                findings.skip(os.fsencode(member.name)[:_LONGEST_PATH], str(reason))
            if count % 500 == 0:
                progress.reach(count)


def _check_limits(build: ImageBuild, count: int, size: int, most_bytes: int) -> None:
    if count > _MOST_MEMBERS or build.entries > _MOST_KEPT:
        raise LimitReached(
            f"the archive has more than {_MOST_MEMBERS if count > _MOST_MEMBERS else _MOST_KEPT:,} entries",
            hint="Seed a smaller part of it.",
        )
    if build.writer.position + size > most_bytes:
        raise LimitReached(
            f"the archive holds more than {most_bytes >> 20} MiB",
            hint="Seed a smaller part of it, or free some disk space.",
        )


def _path(name: str) -> bytes | None:
    """Give a member's path without `./`; None for one that is absolute, leads upwards or could not exist."""
    path = os.fsencode(name)
    if path.startswith(b"/") or b"\0" in path or len(path) > _LONGEST_PATH:
        return None
    parts = [part for part in path.split(b"/") if part not in (b"", b".")]
    if b".." in parts or any(len(part) > _LONGEST_NAME for part in parts):
        return None
    return b"/".join(parts)


def _store(
    build: ImageBuild,
    archive: tarfile.TarFile,
    member: tarfile.TarInfo,
    path: bytes,
    findings: Findings,
    withhold: bool,
) -> None:
    mode, mtime = member.mode & 0o7777, int(member.mtime)
    if member.isdir():
        build.directory(path, mode, mtime)
    elif not path:
        raise Unseedable("it has no name")
    elif member.issym():
        build.symlink(path, mtime, os.fsencode(member.linkname)[:_LONGEST_PATH])
    elif member.islnk():
        target = _path(member.linkname)
        found = build.find(target) if target else None
        if found is None or found.kind != "file" or found.extent is None:
            raise Unseedable("it is a hard link to nothing in the archive")
        build.file(path, found.mode, found.mtime, found.extent, found.digest)
    elif member.isreg():
        if withhold and sensitive().by_name(path):
            findings.withheld.append(path)
            return
        content = archive.extractfile(member)
        assert content is not None
        _store_content(build, content, member.size, path, (mode, mtime), findings, withhold)
    else:
        raise Unseedable(
            "device"
            if member.isdev() and not member.isfifo()
            else "FIFO"
            if member.isfifo()
            else "unknown kind"
        )


def _store_content(
    build: ImageBuild,
    content: IO[bytes],
    size: int,
    path: bytes,
    meta: tuple[int, int],
    findings: Findings,
    withhold: bool,
) -> None:
    if size <= BLOCK:
        whole = content.read(size)
        if len(whole) != size:
            raise tarfile.ReadError("unexpected end of data")
        if withhold and sensitive().by_content(path, size, whole[:HEAD]):
            findings.withheld.append(path)
            return
        extent, digest = build.writer.store(whole), hashlib.sha256(whole).digest()
    else:
        extent, digest = _store_large(build, content, size)
    build.file(path, *meta, extent, digest)


def _store_large(build: ImageBuild, content: IO[bytes], size: int) -> tuple[Extent, bytes]:
    digest = hashlib.sha256()

    def blocks() -> Iterator[bytes]:
        for at in range(0, size, BLOCK):
            block = content.read(min(BLOCK, size - at))
            digest.update(block)
            yield block

    try:
        return build.writer.store_blocks(size, blocks()), digest.digest()
    except ValueError as short:
        raise tarfile.ReadError("unexpected end of data") from short


@contextmanager
def _broken_is_told(source: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, LZMAError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk; what gzip and bzip2 find wrong has no number
        raise InvalidRequest(
            f"{source} is not a whole tar archive",
            details=str(error),
            hint="Make it anew; .tar, .tar.gz, .tar.bz2 and .tar.xz can be read.",
        ) from error
