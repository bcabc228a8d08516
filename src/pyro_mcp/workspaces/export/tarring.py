"""Make a tar archive of all files of a machine while they come: what it says of each is checked, and the archive is ours."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from functools import partial

from pyro_mcp.errors import LimitReached
from pyro_mcp.host.room import free_disk
from pyro_mcp.models.names import display_name
from pyro_mcp.progress import step
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.export.below import write_all
from pyro_mcp.workspaces.export.landing import Landing
from pyro_mcp.workspaces.export.streaming import TreeStream
from pyro_mcp.workspaces.export.tree import check_path
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.secrets.refusing import refuse_secrets
from pyro_mcp.workspaces.session import Session
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

_MOST_ENTRIES = 1_000_000
# Of all paths together, which have to be held: a million of a usual length are a fifth of it.
_MOST_PATH_BYTES = 512 << 20
_SPARE_BYTES = 256 << 20
_BLOCK = 512
_GATHERED = 1 << 20
_TYPES = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE}


def write_tar(session: Session, descriptor: int, landing: Landing) -> tuple[int, int]:
    """Write the whole tree; gives how many entries are in it, and how many have no form in it.

    Directories come before what is in them, and nothing comes below a link: unpacking leads nowhere else. Owners are root's.
    """

    room = free_disk(landing.output.parent) - _SPARE_BYTES
    with step("copying the files", unit="files") as progress:
        archive = Archive(
            partial(write_all, descriptor),
            session.redactor,
            room=room,
            on_entry=lambda: progress.advance(1),
        )
        stream = TreeStream(archive)
        answer = session.ask({"verb": "tree.read", "path": "/"}, on_data=lambda _, data: stream.feed(data))
        stream.end()
        archive.close()
    refuse_secrets(archive.secrets)
    unread = answer.get("left_out")
    return archive.entries, archive.left_out + (unread if isinstance(unread, int) and unread > 0 else 0)


class Archive:
    """Takes what a guest says of its files, and their bytes; gives the archive to `write`.

    Raises LimitReached for more than fits into `room`. `secrets` tells which stand where: then the archive must not be given
    a name.
    """

    def __init__(
        self,
        write: Callable[[bytes | bytearray], None],
        redactor: Redactor,
        *,
        room: int,
        on_entry: Callable[[], None],
    ) -> None:
        self.entries = self.left_out = 0
        self.secrets: dict[bytes, tuple[str, ...]] = {}
        self._write = write
        self._redactor = redactor
        self._room = room
        self._on_entry = on_entry
        self._listing = Listing()
        self._padding = 0
        self._name: bytes | None = None  # None: it has no form in an archive
        self._searched = redactor
        self._out = bytearray()

    def entry(self, record: Message) -> int:
        """Write an entry's header."""
        if self.entries + self.left_out == _MOST_ENTRIES:
            raise LimitReached(f"the disk has more than {_MOST_ENTRIES} entries")
        info = self._listing.header(record)
        if info is None:
            self.left_out += 1
            self._name = None
            return 0
        if info.size > self._room:
            raise _too_large()
        self.entries += 1
        self._on_entry()
        self._name = guest_files.name_bytes(info.name)
        self._searched = self._redactor.fresh()
        self._searched.feed(self._name + b"\0" + guest_files.name_bytes(info.linkname) + b"\0")
        self._put(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        self._padding = -info.size % _BLOCK
        return info.size

    def content(self, part: bytes) -> None:
        """Write some of a file."""
        self._searched.feed(part)
        self._put(part)

    def ended(self) -> None:
        """Fill the last block of a file, and remember what was found in it."""
        if self._name is None:
            return
        self._put(bytes(self._padding))
        self._searched.finish()
        if self._searched.found:
            self.secrets[self._name] = tuple(sorted(self._searched.found))

    def close(self) -> None:
        """Write the end of the archive."""
        self._put(bytes(2 * _BLOCK))
        self._flush()

    def _put(self, data: bytes) -> None:
        self._room -= len(data)
        if self._room < 0:
            raise _too_large()
        self._out += data
        if len(self._out) >= _GATHERED:
            self._flush()

    def _flush(self) -> None:
        self._write(self._out)
        self._out = bytearray()


class Listing:
    """Checks entry by entry that a guest's description of its root makes a tree."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, str] = {}
        self._path_bytes = 0

    def header(self, record: Message) -> tarfile.TarInfo | None:
        """Give an entry's header; None for what an archive has no form for. Raises MessageError for what makes no sense."""
        path, kind = guest_files.name_bytes(messages.text(record, "path")), messages.text(record, "kind")
        check_path(path)
        above = path.rpartition(b"/")[0]
        if path in self._kinds or (above and self._kinds.get(above) != "dir"):
            raise MessageError(f"{display_name(path)} comes twice, or lies in no directory")
        self._kinds[path] = kind if kind == "dir" else ""
        self._path_bytes += len(path)
        if self._path_bytes > _MOST_PATH_BYTES:
            raise LimitReached("the paths of the disk are too long in all")
        return _header(record, kind) if kind in _TYPES else None


def _header(record: Message, kind: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(messages.text(record, "path"))
    info.type = _TYPES[kind]
    info.mode = messages.integer(record, "mode", low=0, high=0o7777)
    info.mtime = messages.integer(record, "mtime_ns", low=0, high=2**62) // 10**9
    info.size = messages.integer(record, "size", low=0, high=2**62) if kind == "file" else 0
    info.linkname = messages.text(record, "target") if kind == "link" else ""
    guest_files.name_bytes(info.linkname)
    info.uname = info.gname = "root"
    return info


def _too_large() -> LimitReached:
    return LimitReached("the files of the disk do not fit on the host's")
