"""Which of the paths that somebody asks about are no paths at all: no change in them says nothing, then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache

from pyro_mcp.workspaces.diff.filters import parted, path_filter, plain_paths
from pyro_mcp.workspaces.files import guest_files
from pyro_mcp.workspaces.session import Session
from pyro_wire import messages

# A glob that fits none of the first so many names may fit a later one: then it is not said to fit nothing.
_MOST_LISTED = 100_000
_DEEPEST = 1000


def paths_of_nothing(session: Session, paths: Sequence[str], changed: Collection[bytes]) -> tuple[str, ...]:
    """Give those of `paths` that name nothing that is there, and nothing that has changed."""
    below = cache(lambda: _all_paths(session))
    return tuple(path for path in paths if _is_nothing(session, guest_files.name_bytes(path), changed, below))


def _is_nothing(
    session: Session, pattern: bytes, changed: Collection[bytes], below: Callable[[], list[bytes] | None]
) -> bool:
    if parted([pattern])[1]:
        return False
    fits = path_filter([pattern])
    if any(map(fits, changed)):
        return False
    if names := plain_paths([pattern]):
        return guest_files.stat(session, names[0]).kind == "absent"
    there = below()
    return there is not None and not any(map(fits, there))


def _all_paths(session: Session) -> list[bytes] | None:
    request = {
        "verb": "tree.list",
        "path": "/workspace",
        "depth": _DEEPEST,
        "limit": _MOST_LISTED,
        "ignore": [".git"],
    }
    found, answer = guest_files.lines(session, request)
    if answer.get("more") is True:
        return None
    return [guest_files.name_bytes(messages.text(record, "path")) for record in found]
