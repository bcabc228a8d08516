"""What somebody probably meant who named a path that is not there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from pyro_mcp.errors import NotFound, PyroError
from pyro_mcp.models.names import display_name
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.session import Session
from pyro_wire import messages
from pyro_wire.messages import Message

_LISTED = 2000  # names of one directory that are compared
_OFFERED = 3
_ALIKE = 0.6
_DEEPEST = 100
# Directories where a file of the same name is hardly the one that was meant, and which are large.
_UNLIKELY = [".git", "node_modules", ".venv", "venv", "__pycache__"]
_WILD = frozenset("*?[]{},")


@contextmanager
def naming_near(session: Session, path: str) -> Iterator[None]:
    """Have an error about a path that is not there say what is there, or which directory above it is missing."""
    try:
        yield
    except NotFound as error:
        try:
            hint = _hint(session, path)
        except PyroError:
            raise error from None
        error.hint = hint
        raise


def _hint(session: Session, path: str) -> str:
    there, missing, above = _as_far_as_it_goes(session, path)
    beginning = f"There is no directory {posixpath.join(there, missing)}. " if above else ""
    names = _list(session, {"path": there, "limit": _LISTED})
    near = [posixpath.join(there, name) for name in _nearest(missing, names)]
    if not near and not above:
        near = _elsewhere(session, missing)
    if near:
        return f"{beginning}Did you mean {' or '.join(near)}?"
    return f"{beginning}`<<workspace_file_list>>` shows what is there."


def _as_far_as_it_goes(session: Session, path: str) -> tuple[str, str, bool]:
    """Go down a path: gives the last directory that is there, the name that it lacks, and whether more was to be below that."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    there = "/" if path.startswith("/") else ""
    for part in parts[:-1]:
        below = posixpath.join(there, part)
        if guest_files.stat(session, below).kind == "absent":
            return there, part, True
        there = below
    return there, parts[-1] if parts else "", False


def _elsewhere(session: Session, name: str) -> list[str]:
    """Where else in the workspace there is something of this name."""
    if not name or _WILD & set(name):
        return []
    request = {"path": "/workspace", "depth": _DEEPEST, "glob": name, "limit": _OFFERED, "ignore": _UNLIKELY}
    return _list(session, request)


def _list(session: Session, request: Message) -> list[str]:
    found, _ = guest_files.lines(session, {"verb": "tree.list", **request})
    return [display_name(guest_files.name_bytes(messages.text(record, "path"))) for record in found]


def _nearest(name: str, names: Sequence[str]) -> list[str]:
    """The names most like one, whatever their case."""
    by_lower = {one.lower(): one for one in reversed(names)}
    return [by_lower[found] for found in get_close_matches(name.lower(), by_lower, _OFFERED, _ALIKE)]
