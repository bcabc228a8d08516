"""Fill a staged directory with the files of a tree that was listed before, as their contents come."""

from __future__ import annotations

from contextlib import ExitStack

from pyro_mcp.errors import Conflict, LimitReached
from pyro_mcp.models.names import display_name
from pyro_mcp.progress import Step
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.export.below import new_file, put, told_full, write_all
from pyro_mcp.workspaces.export.streaming import nonsense
from pyro_mcp.workspaces.export.tree import Tree
from pyro_mcp.workspaces.files.guest_files import name_bytes
from pyro_wire import messages
from pyro_wire.messages import Message


class Filling:
    """Takes a guest's files one after the other; those that were not listed are passed over.

    All of them together fit into `room`, whatever the guest sends. `secrets` tells afterwards which stand where: what was
    written must not be given its name then.
    """

    def __init__(self, top: int, tree: Tree, *, room: int, redactor: Redactor, progress: Step) -> None:
        self.size = 0
        self.secrets: dict[bytes, tuple[str, ...]] = {}
        self._top = top
        self._tree = tree
        self._room = room
        self._redactor = redactor
        self._progress = progress
        self._missing = {name for name, item in tree.items.items() if item.kind == "file"}
        self._name = b""
        self._file: int | None = None
        self._open = ExitStack()
        self._searched = redactor
        for name, item in tree.items.items():
            if item.kind != "file":
                put(top, name, item)

    def entry(self, record: Message) -> int:
        """Make a file that was listed."""
        name, kind = name_bytes(messages.text(record, "path")), messages.text(record, "kind")
        size = messages.integer(record, "size", low=0, high=2**62) if kind == "file" else 0
        item = self._tree.items.get(name)
        if item is None:
            return size
        if item.kind != kind:
            raise _changed(name)
        if kind == "file":
            if name not in self._missing:
                raise nonsense(f"{display_name(name)} comes twice")
            self._missing.remove(name)
            self._name = name
            self._file = self._open.enter_context(new_file(self._top, name, item.mode))
            self._searched = self._redactor.fresh()
        return size

    def content(self, part: bytes) -> None:
        """Write some of it."""
        self._room -= len(part)
        if self._room < 0:
            raise LimitReached("the export grew larger than the room for it", hint="Export a smaller part.")
        if self._file is not None:
            self.size += len(part)
            self._searched.feed(part)
            with told_full():
                write_all(self._file, part)

    def ended(self) -> None:
        """Close it, and remember what was found in it."""
        if self._file is None:
            return
        self.close()
        self._progress.advance(1)
        self._searched.finish()
        if self._searched.found:
            self.secrets[self._name] = tuple(sorted(self._searched.found))

    def require_all(self) -> None:
        """Raise Conflict when something that was listed has not come."""
        if self._missing:
            raise _changed(min(self._missing))

    def close(self) -> None:
        """Close what is still open."""
        self._file = None
        self._open.close()


def _changed(name: bytes) -> Conflict:
    return Conflict(
        f"{display_name(name)} changed while it was copied",
        hint="Export again when nothing writes there.",
    )
