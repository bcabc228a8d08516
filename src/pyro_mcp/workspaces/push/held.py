"""What a workspace holds where a push goes, asked of the guest: as little of it as the push has to know.

In /workspace what the seed brought is known, so only what differs from it is asked for. Of what neither seed nor push has
(build products, a node_modules) nothing is looked at, unless the push deletes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

from pyro_mcp.errors import Conflict, GuestFailed
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.files.guest_files import GuestFile
from pyro_mcp.workspaces.seeding.entries import Entry
from pyro_mcp.workspaces.seeding.manifest import Item, Manifest
from pyro_mcp.workspaces.session import Session
from pyro_wire import messages
from pyro_wire.messages import MessageError

_MOST_ENTRIES = 10_000_000
# A line of a body is at most 64 KiB; a name of 4,095 odd bytes takes 25 KiB.
_LINE = 32 * 1024
_KINDS: Mapping[str, str] = {"file": "file", "dir": "directory", "link": "symlink"}


def held(
    session: Session,
    dest: str,
    below: bytes | None,
    seeded: Manifest,
    entries: Iterable[Entry],
    *,
    delete: bool,
) -> Manifest:
    """Give what is there of the `entries` to push and of the seed; everything that is there where the push deletes.

    `below` is the destination's path below /workspace, None for one outside; `seeded` what the seed had there.
    Raises Conflict where the destination is a file, or something cannot be looked at.
    """
    place = _place(session, b"workspace/" + below) if below is not None else "link"
    if place == "absent":
        return {}
    if place == "link":  # or outside: what the seed had is no help
        return _looked_up(session, dest, None if delete else entries)
    if place != "dir":
        raise Conflict(f"{dest} is a file in the workspace", hint="Name a directory.")
    return _since_the_seed(session, below or b"", seeded, None if delete else entries)


def _place(session: Session, path: bytes) -> str:
    """Tell what kind a path of directories ends in: "link" when a link is on the way, "absent" when nothing is there."""
    parts = path.rstrip(b"/").split(b"/")
    for depth in range(2, len(parts) + 1):
        kind = guest_files.stat(session, b"/" + b"/".join(parts[:depth])).kind
        if kind != "dir":
            return kind
    return "dir"


# -- in /workspace: the seed, and what differs from it --------------------------------------------------------------------


def _since_the_seed(
    session: Session, below: bytes, seeded: Manifest, entries: Iterable[Entry] | None
) -> Manifest:
    request: dict[str, object] = {
        "verb": "tree.changes",
        "paths": [guest_files.guest_path(below)],
        "everything": True,
        "hash": True,
        "limit": _MOST_ENTRIES,
        "only": entries is not None,
    }
    body = None if entries is None else b"".join(_of_interest(entries, below, seeded))
    records, answer = guest_files.changes(session, request, body=body)
    if answer.get("complete") is not True:
        raise _unseen()
    found = dict(seeded)
    for record in records:
        path = record.path[len(below) :]
        if not record.path.startswith(below) or not path:
            continue  # the destination itself, or what lies on the way to it
        if record.new is None:
            found.pop(path, None)
        else:
            found[path] = _item(record.new)
    return found


def _of_interest(entries: Iterable[Entry], below: bytes, seeded: Manifest) -> Iterator[bytes]:
    """Name what is pushed and was not seeded; where no directory is to be, all that a directory there would lose."""
    just = [below[:at] for at, byte in enumerate(below) if byte == ord("/")]  # the way there
    whole = []
    for entry in entries:
        there = seeded.get(entry.path)
        if not entry.path or (there is not None and there.kind != "directory"):
            continue
        if entry.kind != "directory":
            whole.append(below + entry.path)
        elif there is None:
            just.append(below + entry.path)
    yield from _lines("just", just)
    yield from _lines("whole", whole)


def _lines(name: str, paths: Iterable[bytes]) -> Iterator[bytes]:
    """Write paths as they travel in a body, as many to a line as fit."""
    some: list[str] = []
    size = 0
    for path in paths:
        text = json.dumps(guest_files.guest_path(path))
        if size + len(text) > _LINE:
            yield _line(name, some)
            some, size = [], 0
        some.append(text)
        size += len(text) + 1
    if some:
        yield _line(name, some)


def _line(name: str, texts: list[str]) -> bytes:
    return f'{{"{name}":[{",".join(texts)}]}}\n'.encode("ascii")


# -- anywhere else ----------------------------------------------------------------------------------------------------------


def _looked_up(session: Session, dest: str, entries: Iterable[Entry] | None) -> Manifest:
    request = {"verb": "tree.manifest", "path": dest, "ignore": [".git"], "only": entries is not None}
    body = None if entries is None else b"".join(_of_interest(entries, b"", {}))
    found, answer = guest_files.lines(session, request, body=body)
    if answer.get("left_out"):
        raise _unseen()
    if any(record.get("path") == "" for record in found):
        raise Conflict(f"{dest} is a file in the workspace", hint="Name a directory.")
    try:
        return {
            guest_files.name_bytes(messages.text(record, "path")): _item(guest_files.described(record))
            for record in found
        }
    except MessageError as error:
        raise _senseless(str(error)) from error


def repositories(session: Session, dest: str, directories: Iterable[bytes]) -> Manifest:
    """Give the `.git` of these directories below the destination, of those that have one."""
    gits = {path + b"/.git" for path in directories}
    way = {b"/".join(path.split(b"/")[:depth]) for path in gits for depth in range(1, path.count(b"/") + 2)}
    request: dict[str, object] = {"verb": "tree.manifest", "path": dest, "ignore": [], "only": True}
    found, answer = guest_files.lines(session, request, body=b"".join(_lines("just", sorted(way))))
    if answer.get("left_out"):
        raise _unseen()
    try:
        there = {guest_files.name_bytes(messages.text(record, "path")) for record in found}
    except MessageError as error:
        raise _senseless(str(error)) from error
    return dict.fromkeys(gits & there, Item("directory", 0o755, 0, 0, b""))


def _item(there: GuestFile) -> Item:
    mode = there.mode & 0o7777
    if there.kind == "dir":
        return Item("directory", mode, 0, 0, b"")
    if there.kind == "link" and there.target is not None:
        target = guest_files.name_bytes(there.target)
        return Item("symlink", 0o777, len(target), 0, hashlib.sha256(target).digest())
    if there.kind == "file" and there.sha256 is not None:
        try:
            return Item("file", mode, there.size, 0, bytes.fromhex(there.sha256))
        except ValueError as error:
            raise _senseless(str(error)) from error
    if there.kind == "other":  # a socket or device is nothing that a host's entry could equal
        return Item("symlink", 0, 0, 0, b"")
    raise _senseless(f"a {there.kind} without what it holds")


def _unseen() -> Conflict:
    return Conflict(
        "some entries of the workspace cannot be looked at",
        hint="They change at this moment, lie too deep, or are too many.",
    )


def _senseless(details: str) -> GuestFailed:
    return GuestFailed("the machine described its files in a way that makes no sense", details=details)
