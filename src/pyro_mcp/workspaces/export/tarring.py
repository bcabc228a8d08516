"""Write all files of a machine as a tar archive: what it says it has is checked first, and the archive is ours."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyro_mcp.errors import GuestFailed, LimitReached
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.room import free_disk
from pyro_mcp.models.names import display_name
from pyro_mcp.progress import step
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces import guest_files
from pyro_mcp.workspaces.export.landing import Landing
from pyro_mcp.workspaces.export.tree import check_path
from pyro_mcp.workspaces.secrets.refusing import refuse_secrets
from pyro_mcp.workspaces.session import Session
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

_MOST_ENTRIES = 1_000_000
_SPARE_BYTES = 256 << 20
_BLOCK = 512
_TYPES = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE}


def write_tar(session: Session, descriptor: int, landing: Landing) -> tuple[int, int]:
    """Write the whole tree; gives how many entries are in it, and how many have no form in it.

    Directories come before what is in them, and nothing comes below a link: unpacking leads nowhere else. Owners are root's.
    """
    with step("looking through the disk"):
        records, answer = guest_files.lines(
            session, {"verb": "tree.list", "path": "/", "depth": 1000, "limit": _MOST_ENTRIES}
        )
    if answer.get("more") is not False:
        raise LimitReached(f"the disk has more than {_MOST_ENTRIES} entries")
    items, left_out = read_headers(records)
    size = sum(item.size for item in items)
    if size > free_disk(landing.output.parent) - _SPARE_BYTES:
        raise LimitReached(f"the {size >> 20} MiB of the disk do not fit on the host's")
    with session.channel() as channel, step("copying the files", total=len(items), unit="files") as progress:
        writer = _Writer(channel, descriptor, session.redactor)
        for item in items:
            writer.add(item)
            progress.advance(1)
        writer.end()
    refuse_secrets(writer.secrets)
    return len(items), left_out


def read_headers(records: list[Message]) -> tuple[list[tarfile.TarInfo], int]:
    """Check a guest's listing of its root; raises GuestFailed for one that no honest guest sends."""
    kinds: dict[bytes, str] = {}
    found: list[tarfile.TarInfo] = []
    left_out = 0
    for record in records:
        try:
            path, kind = guest_files.name_bytes(messages.text(record, "path")), messages.text(record, "kind")
            check_path(path)
            above = path.rpartition(b"/")[0]
            if path in kinds or (above and kinds.get(above) != "dir"):
                raise MessageError(f"{display_name(path)} comes twice, or lies in no directory")
            kinds[path] = kind
            if kind in _TYPES:
                found.append(_header(record, kind))
            else:
                left_out += 1
        except MessageError as error:
            raise GuestFailed(
                "the machine described its files in a way that makes no sense", details=str(error)
            ) from error
    return found, left_out


def _header(record: Message, kind: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(messages.text(record, "path"))
    info.type = _TYPES[kind]
    info.mode = messages.integer(record, "mode", low=0, high=0o7777)
    info.mtime = messages.integer(record, "mtime_ns", low=0, high=2**62) // 10**9
    info.size = messages.integer(record, "size", low=0, high=2**62) if kind == "file" else 0
    info.linkname = messages.text(record, "target") if kind == "link" else ""
    info.uname = info.gname = "root"
    return info


@dataclass
class _Writer:
    channel: Channel
    descriptor: int
    redactor: Redactor
    secrets: dict[bytes, tuple[str, ...]] = field(default_factory=dict)

    def add(self, info: tarfile.TarInfo) -> None:
        self._write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        if info.isreg() and info.size:
            self._copy(info)
            self._write(bytes(-info.size % _BLOCK))

    def end(self) -> None:
        self._write(bytes(2 * _BLOCK))

    def _copy(self, info: tarfile.TarInfo) -> None:
        searched, left = self.redactor.fresh(), info.size

        def take(_: int, data: bytes) -> None:
            nonlocal left
            left -= len(data)
            if left < 0:
                raise GuestFailed(f"the machine sent more of {info.name} than there is")
            searched.feed(data)
            self._write(data)

        self.channel.ask({"verb": "file.read", "path": f"/{info.name}"}, on_data=take)
        if left:
            raise GuestFailed(f"the machine sent less of {info.name} than there is")
        searched.finish()
        if searched.found:
            self.secrets[guest_files.name_bytes(info.name)] = tuple(sorted(searched.found))

    def _write(self, data: bytes) -> None:
        for part in _parts(data):
            os.write(self.descriptor, part)


def _parts(data: bytes) -> Iterator[memoryview]:
    """What write(2) takes at once, and a disk that is full refuses whole."""
    with memoryview(data) as whole:
        for at in range(0, len(whole), 1 << 20):
            yield whole[at : at + (1 << 20)]
