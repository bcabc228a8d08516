"""Export files: list them in the guest, check the list, write everything beside its place, then give it its name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest, LimitReached, NotFound
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.room import free_disk
from pyro_mcp.progress import Step, step
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.export.below import new_file, put, told_full
from pyro_mcp.workspaces.export.executing import refuse_executing
from pyro_mcp.workspaces.export.landing import Confirm, Landing
from pyro_mcp.workspaces.export.tree import Item, Tree, read_tree
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.secrets.refusing import refuse_secrets
from pyro_mcp.workspaces.session import Session

_MOST_ENTRIES = 1_000_000
# Left free on the host whatever is exported.
_SPARE_BYTES = 256 << 20
_TOP = "/workspace"


@dataclass(frozen=True, slots=True)
class Copied:
    """What was written, and what was not."""

    files: int
    size: int
    left_out: dict[bytes, str]


def copy_out(
    session: Session,
    path: str,
    output: Path,
    *,
    overwrite: bool,
    allow_paths: Sequence[str],
    confirm: Confirm | None = None,
) -> Copied:
    """Copy a file or a directory to the host. Raises PolicyDenied for what the host would execute."""
    found = guest_files.stat(session, path)
    if found.kind == "absent":
        raise NotFound(f"there is no {path} in the workspace")
    with closing(Landing(output, overwrite=overwrite, confirm=confirm)) as landing:
        if found.kind == "dir":
            return _copy_directory(session, path, landing, allow_paths)
        refuse_executing([b""], landing.real, allow_paths)
        if found.kind != "file":
            raise InvalidRequest(
                f"{path} is {'a link' if found.kind == 'link' else 'no file'}",
                hint="Name the file or directory itself.",
            )
        landing.require_free(directory=False)
        _require_room(landing, found.size)
        with landing.file(found.mode & 0o755 | 0o600) as descriptor, session.channel() as channel:
            copier = _Copier(channel, _room(landing), session.redactor)
            size = copier.copy(path, descriptor, landing.real.rpartition(b"/")[2])
        refuse_secrets(copier.secrets, allowed=allow_paths)
        landing.land_file()
        return Copied(1, size, {})


def _copy_directory(session: Session, path: str, landing: Landing, allow_paths: Sequence[str]) -> Copied:
    landing.require_free(directory=True)
    with step(f"looking through {path}"):
        tree = _listed(session, path, allow_paths)
    refuse_executing(tree.items, landing.real, allow_paths)
    files = {name: item for name, item in tree.items.items() if item.kind == "file"}
    _require_room(landing, sum(item.size for item in files.values()))
    base = guest_files.name_bytes(path).rstrip(b"/") + b"/"
    with landing.directory() as top, session.channel() as channel:
        copier = _Copier(channel, _room(landing), session.redactor)
        with step("copying out", total=len(files), unit="files") as progress:
            size = sum(_write(copier, top, base, name, item, progress) for name, item in tree.items.items())
        refuse_secrets({**_secret_names(session, tree), **copier.secrets}, allowed=allow_paths)
        landing.land_directory(tree.items, 0o755)
    return Copied(len(files), size, tree.left_out)


def _secret_names(session: Session, tree: Tree) -> dict[bytes, tuple[str, ...]]:
    """What is called by a secret, or is a link to what is."""
    if not session.redactor.knows_any:
        return {}
    named = {name: session.redactor.names_in([name, b"\0", item.target]) for name, item in tree.items.items()}
    return {name: found for name, found in named.items() if found}


def _listed(session: Session, path: str, allow_paths: Sequence[str]) -> Tree:
    """List a directory; a repository's own files stay where they are unless somebody names them."""
    wants_git = any(".git" in name.split("/") for name in (*allow_paths, *path.split("/")))
    request: dict[str, object] = {
        "verb": "tree.list",
        "path": path,
        "depth": 1000,
        "limit": _MOST_ENTRIES,
        "ignore": [] if wants_git else [".git"],
    }
    records, answer = guest_files.lines(session, request)
    if answer.get("more") is not False:
        raise LimitReached(
            f"{path} has more than {_MOST_ENTRIES} entries", hint="Export a smaller part of it."
        )
    if answer.get("left_out"):
        raise Conflict(
            f"{answer['left_out']} entries of {path} cannot be looked at",
            hint="They change at this moment, or lie too deep.",
        )
    tree = read_tree(records)
    if not wants_git and guest_files.stat(session, f"{path.rstrip('/')}/.git").kind != "absent":
        tree.left_out[b".git"] = "the repository's own files: export a branch, or name .git in allow_paths"
    return tree


def _write(copier: _Copier, top: int, base: bytes, name: bytes, item: Item, progress: Step) -> int:
    if item.kind != "file":
        put(top, name, item)
        return 0
    with new_file(top, name, item.mode) as descriptor:
        size = copier.copy(guest_files.guest_path(base + name), descriptor, name)
    progress.advance(1)
    return size


class _Copier:
    """Copies file by file over one connection; all of them together fit into `room`, whatever the guest sends.

    `secrets` tells afterwards which stand where: what was copied must not be given its name then.
    """

    def __init__(self, channel: Channel, room: int, redactor: Redactor) -> None:
        self._channel = channel
        self._room = room
        self._redactor = redactor
        self.secrets: dict[bytes, tuple[str, ...]] = {}

    def copy(self, path: str, descriptor: int, name: bytes) -> int:
        """Copy one file; gives its size. `name` is what it is called in the export."""
        size = 0
        searched = self._redactor.fresh()

        def take(_: int, data: bytes) -> None:
            nonlocal size
            size += len(data)
            self._room -= len(data)
            if self._room < 0:
                raise LimitReached(
                    "the export grew larger than the room for it", hint="Export a smaller part."
                )
            searched.feed(data)
            with told_full():
                _write_all(descriptor, data)

        answer = self._channel.ask({"verb": "file.read", "path": path}, on_data=take)
        if answer.get("kind") != "file":
            raise GuestFailed("the machine sent something else than a file")
        searched.finish()
        if searched.found:
            self.secrets[name] = tuple(sorted(searched.found))
        return size


def _write_all(descriptor: int, data: bytes) -> None:
    with memoryview(data) as rest:
        at = 0
        while at < len(rest):
            at += os.write(descriptor, rest[at:])


def _room(landing: Landing) -> int:
    return free_disk(landing.output.parent) - _SPARE_BYTES


def _require_room(landing: Landing, size: int) -> None:
    if size > _room(landing):
        raise LimitReached(
            f"the export of {size >> 20} MiB does not fit on the host's disk", hint="Export a smaller part."
        )
