"""Look into the disk of a stopped workspace, and take it home."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.disk import DiskContent, DiskExport, DiskFormat
from pyro_mcp.models.file import FileListing
from pyro_mcp.qemu.disks import write_raw
from pyro_mcp.workspaces.export.below import told_full
from pyro_mcp.workspaces.export.executing import refuse_executing
from pyro_mcp.workspaces.export.landing import Landing
from pyro_mcp.workspaces.export.tarring import write_tar
from pyro_mcp.workspaces.files import guest_files, reading
from pyro_mcp.workspaces.looking import ground_of_stopped, looking, told
from pyro_mcp.workspaces.machines.grounds import size_of
from pyro_mcp.workspaces.secrets.refusing import refuse_secrets
from pyro_mcp.workspaces.session import Session, Sessions

if TYPE_CHECKING:
    from pyro_mcp.workspaces.registry.workspaces import WorkspaceRecord

# Without a limit of the caller's: what is larger is no answer, but a file to export.
_LARGEST = 64 << 20


def list_disk(sessions: Sessions, reference: str, path: str, *, depth: int) -> FileListing:
    """List a directory as the workspace would see it."""
    with _session(sessions, reference, "disk.list", path) as session:
        return reading.list_files(session, path, depth=depth, glob=None)


def read_disk(sessions: Sessions, reference: str, path: str, *, max_bytes: int | None) -> DiskContent:
    """Read a file, or its first bytes."""
    with _session(sessions, reference, "disk.read", path) as session:
        found = guest_files.read(session, path, limit=max_bytes or _LARGEST)
        if found.kind != "file":
            raise InvalidRequest(
                f"{path} is no file", hint="`<<workspace_disk_list>>` shows what is in a directory."
            )
        text = _text(found.content)
        if text is None:
            refuse_secrets({guest_files.name_bytes(path): session.redactor.names_in([found.content])})
        return DiskContent(
            path=path,
            content=base64.b64encode(found.content).decode() if text is None else session.redactor.text(text),
            encoding="base64" if text is None else "utf-8",
            size=found.size,
            mode=f"{found.mode & 0o7777:04o}",
            truncated=found.size > len(found.content),
        )


def export_disk(sessions: Sessions, reference: str, output_path: str, *, format: DiskFormat) -> DiskExport:
    """Write all files as a tar archive, or the workspace's own disk as an image, to a new file of the host."""
    output = Path(os.path.abspath(output_path))  # noqa: PTH100 - links stay links
    counts = (0, 0)
    with (
        told(sessions, reference, "disk.export", format=format, output=str(output)) as record,
        closing(Landing(output, overwrite=None)) as landing,
    ):
        landing.require_free(directory=False)
        refuse_executing([b""], landing.real, ())
        layer = ground_of_stopped(sessions, record)
        with told_full(), landing.file(0o600) as descriptor:
            if format == "tar":
                with looking(sessions, record, layer) as session:
                    counts = write_tar(session, descriptor, landing)
            else:
                _write_image(sessions, record, layer, descriptor, format)
        landing.land_file()
    return DiskExport(
        format=format,
        output_path=str(output),
        bytes=output.stat().st_size,
        files=counts[0],
        left_out=counts[1],
    )


@contextmanager
def _session(sessions: Sessions, reference: str, kind: str, path: str) -> Iterator[Session]:
    with (
        told(sessions, reference, kind, path=path) as record,
        looking(sessions, record, ground_of_stopped(sessions, record)) as session,
    ):
        yield session


def _write_image(
    sessions: Sessions, record: WorkspaceRecord, layer: str, descriptor: int, format: Literal["qcow2", "raw"]
) -> None:
    """Fill an empty qcow2 image, for QEMU can make no file itself; a raw image is made of that, so that it stays sparse."""
    image = sessions.directories.of(record.id) / f"image-{os.getpid()}-{descriptor}.qcow2"
    sessions.shop.new_layer(image, size_of(record))
    try:
        target = os.open(image, os.O_RDWR | os.O_CLOEXEC)
        try:
            disk = sessions.grounds.disk_of(record, layer)
            sessions.shop.flatten(disk, sessions.grounds.environment_of(record), sessions.promises, target)
        finally:
            os.close(target)
        if format == "raw":
            write_raw(image, descriptor)
        else:
            with image.open("rb") as source, open(descriptor, "wb", closefd=False) as output:
                shutil.copyfileobj(source, output, 1 << 20)
    finally:
        image.unlink()


def _text(content: bytes) -> str | None:
    """What can be read; the end of a cut file may be half a character."""
    for cut in range(min(4, len(content) + 1)):
        try:
            text = content[: len(content) - cut].decode()
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None
