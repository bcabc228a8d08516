"""What a guest says it has, checked until it can be written to the host: names, places, links. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyro_mcp.errors import GuestFailed
from pyro_mcp.models.names import display_name
from pyro_mcp.workspaces.files.guest_files import name_bytes
from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

_LONGEST_NAME, _LONGEST_PATH = 255, 4000
_MOST_LINKS = 40
Kind = Literal["file", "dir", "link"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to write. The mode has neither setuid nor write permission for others; `target` is a link's."""

    kind: Kind
    mode: int = 0
    size: int = 0
    target: bytes = b""


@dataclass
class Tree:
    """What is to be written, directories before what is in them, and what is not, with the reason."""

    items: dict[bytes, Item] = field(default_factory=dict)
    left_out: dict[bytes, str] = field(default_factory=dict)


def read_tree(records: Iterable[Message]) -> Tree:
    """Check a guest's listing; raises GuestFailed for one that no honest guest sends, and leaves out what cannot be exported."""
    tree = Tree()
    for record in records:
        try:
            path, item = name_bytes(messages.text(record, "path")), _item(record)
        except MessageError as error:
            raise _lie(str(error)) from error
        check_path(path)
        if path in tree.items or path in tree.left_out:
            raise _lie(f"{display_name(path)} comes twice")
        above = path.rpartition(b"/")[0]
        if above and (above not in tree.items or tree.items[above].kind != "dir"):
            raise _lie(f"{display_name(path)} lies in no directory")
        if item is None:
            tree.left_out[path] = "a socket, FIFO or device"
        else:
            tree.items[path] = item
    _part_links(tree)
    return tree


def check_path(path: bytes) -> None:
    """Raise GuestFailed for a path that is not simply below the place it is relative to."""
    parts = path.split(b"/")
    if b"\0" in path or len(path) > _LONGEST_PATH or any(part in (b"", b".", b"..") for part in parts):
        raise _lie(f"{display_name(path[:200])!r} is no path below the export")
    if any(len(part) > _LONGEST_NAME for part in parts):
        raise _lie(f"{display_name(path[:200])!r} is too long a name")


def _item(record: Message) -> Item | None:
    kind = messages.text(record, "kind")
    mode = messages.integer(record, "mode", low=0, high=0o7777)
    if kind == "dir":
        return Item("dir", mode & 0o755 | 0o700)
    if kind == "link":
        return Item("link", target=name_bytes(messages.text(record, "target")))
    if kind == "file":
        return Item("file", mode & 0o755 | 0o600, messages.integer(record, "size", low=0, high=2**62))
    return None


def _part_links(tree: Tree) -> None:
    """Leave out links that lead out, or may, looking at where they really lead: through other links, too."""
    for path, item in list(tree.items.items()):
        if item.kind == "link" and not stays_inside(path, tree.items):
            tree.left_out[path] = f"a link that leads out: {display_name(item.target)}"
    for path in tree.left_out:
        tree.items.pop(path, None)


def stays_inside(path: bytes, items: Mapping[bytes, Item]) -> bool:
    """Tell whether a link leads to something inside, and never steps outside on its way."""
    at = path.split(b"/")[:-1]
    rest = items[path].target.split(b"/")[::-1]
    if not items[path].target or items[path].target.startswith(b"/") or b"\0" in items[path].target:
        return False
    links = 1
    while rest:
        part = rest.pop()
        if part in (b"", b"."):
            continue
        if part == b"..":
            # What is not in the export may be anything on the host: there is no way back from it.
            if not at or items.get(b"/".join(at), Item("file")).kind != "dir":
                return False
            at.pop()
            continue
        at.append(part)
        there = items.get(b"/".join(at))
        if there is not None and there.kind == "link":
            links += 1
            if links > _MOST_LINKS or there.target.startswith(b"/"):
                return False
            at.pop()
            rest += there.target.split(b"/")[::-1]
    return True


def _lie(details: str) -> GuestFailed:
    return GuestFailed("the machine described files in a way that cannot be exported", details=details)
