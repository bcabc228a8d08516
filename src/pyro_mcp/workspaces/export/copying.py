"""Export files: list them in the guest, check the list, write everything beside its place, then give it its name.

A directory's contents come as one stream: a request for each file would cost more than the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest, LimitReached, NotFound
from pyro_mcp.host.room import free_disk
from pyro_mcp.progress import step
from pyro_mcp.workspaces.export.below import told_full, write_all
from pyro_mcp.workspaces.export.executing import refuse_executing
from pyro_mcp.workspaces.export.filling import Filling
from pyro_mcp.workspaces.export.landing import Confirm, Landing
from pyro_mcp.workspaces.export.streaming import TreeStream
from pyro_mcp.workspaces.export.tree import Tree, read_tree
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
        return _copy_file(session, path, found.mode, landing, allow_paths)


def _copy_file(
    session: Session, path: str, mode: int, landing: Landing, allow_paths: Sequence[str]
) -> Copied:
    size, room = 0, _room(landing)
    searched = session.redactor.fresh()

    def take(_: int, data: bytes) -> None:
        nonlocal size
        size += len(data)
        if size > room:
            raise LimitReached("the export grew larger than the room for it")
        searched.feed(data)
        with told_full():
            write_all(descriptor, data)

    with landing.file(mode & 0o755 | 0o600) as descriptor:
        answer = session.ask({"verb": "file.read", "path": path}, on_data=take)
    if answer.get("kind") != "file":
        raise GuestFailed("the machine sent something else than a file")
    searched.finish()
    found = tuple(sorted(searched.found))
    refuse_secrets({landing.real.rpartition(b"/")[2]: found} if found else {}, allowed=allow_paths)
    landing.land_file()
    return Copied(1, size, {})


def _copy_directory(session: Session, path: str, landing: Landing, allow_paths: Sequence[str]) -> Copied:
    landing.require_free(directory=True)
    with step(f"looking through {path}"):
        tree, ignored = _listed(session, path, allow_paths)
    refuse_executing(tree.items, landing.real, allow_paths)
    files = [item for item in tree.items.values() if item.kind == "file"]
    _require_room(landing, sum(item.size for item in files))
    with landing.directory() as top:
        with step("copying out", total=len(files), unit="files") as progress:
            room = _room(landing)
            filling = Filling(top, tree, room=room, redactor=session.redactor, progress=progress)
            with closing(filling):
                stream = TreeStream(filling)
                request: dict[str, object] = {"verb": "tree.read", "path": path, "ignore": ignored}
                session.ask(request, on_data=lambda _, data: stream.feed(data))
                stream.end()
        filling.require_all()
        refuse_secrets({**_secret_names(session, tree), **filling.secrets}, allowed=allow_paths)
        landing.land_directory(tree.items, 0o755)
    return Copied(len(files), filling.size, tree.left_out)


def _secret_names(session: Session, tree: Tree) -> dict[bytes, tuple[str, ...]]:
    """What is called by a secret, or is a link to what is."""
    if not session.redactor.knows_any:
        return {}
    named = {name: session.redactor.names_in([name, b"\0", item.target]) for name, item in tree.items.items()}
    return {name: found for name, found in named.items() if found}


def _listed(session: Session, path: str, allow_paths: Sequence[str]) -> tuple[Tree, list[str]]:
    """List a directory, and tell which names were passed over: a repository's own files, unless somebody names them."""
    wants_git = any(".git" in name.split("/") for name in (*allow_paths, *path.split("/")))
    ignored = [] if wants_git else [".git"]
    request: dict[str, object] = {
        "verb": "tree.list",
        "path": path,
        "depth": 1000,
        "limit": _MOST_ENTRIES,
        "ignore": ignored,
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
    return tree, ignored


def _room(landing: Landing) -> int:
    return free_disk(landing.output.parent) - _SPARE_BYTES


def _require_room(landing: Landing, size: int) -> None:
    room = _room(landing)
    if size > room:
        told = f"{size >> 20} MiB" if size >> 20 else f"{size} bytes"
        raise LimitReached(
            f"the export of {told} does not fit below {landing.output.parent}",
            details=f"{max(room, 0) >> 20} MiB may be written there; {_SPARE_BYTES >> 20} MiB more stay free.",
            hint="Name a place with more room, or export a smaller part.",
        )
