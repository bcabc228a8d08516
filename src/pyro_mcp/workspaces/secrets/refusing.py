"""Let no secret leave a workspace in a diff or an export: what has one is refused, and says where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyro_mcp.errors import PolicyDenied
from pyro_mcp.models.names import display_name
from pyro_mcp.redaction import Redactor
from pyro_mcp.workspaces.diff.entries import Change
from pyro_mcp.workspaces.diff.report import TreeDiff

_TOLD = 20
_ALLOWED = "Take it out of the file, or name the path in <<allow_paths>>."
_NOT_SHOWN = "Take it out of the file; --format stat (format) shows which files changed."

# The secrets that stand in each path.
Found = Mapping[bytes, tuple[str, ...]]


def secrets_in(redactor: Redactor, tree: TreeDiff, changes: Iterable[Change]) -> Found:
    """Look through the lines of a patch, and through all of a file that it has no lines of."""
    contents = {change.path: change for change in changes}
    found = {}
    for file in tree.files:
        parts = [_lines(file.patch), *(_whole(contents.get(file.path)) if file.record.binary else ())]
        names = {name for part in parts for name in redactor.names_in([part])}
        if names:
            found[file.path] = tuple(sorted(names))
    return found


def refuse_secrets(found: Found, *, allowed: Sequence[str] | None = None) -> None:
    """Raise PolicyDenied that names path and secret, but for paths that are allowed or lie below one. None: none can be."""
    refused = sorted(
        (path, names) for path, names in found.items() if names and not _is_allowed(path, allowed or ())
    )
    if not refused:
        return
    more = f"\n… and {len(refused) - _TOLD} more" if len(refused) > _TOLD else ""
    shown = [f"{display_name(path)}: {', '.join(names)}" for path, names in refused[:_TOLD]]
    raise PolicyDenied(
        f"{'one path holds' if len(refused) == 1 else f'{len(refused)} paths hold'} a secret; nothing was given out",
        details="\n".join(shown) + more,
        hint=_NOT_SHOWN if allowed is None else _ALLOWED,
    )


def _is_allowed(path: bytes, allowed: Sequence[str]) -> bool:
    names = [name.strip("/").encode("utf-8", "surrogateescape") for name in allowed]
    return any(not name or path == name or path.startswith(name + b"/") for name in names)


def _lines(patch: bytes) -> bytes:
    """A patch without its first column, so that what several lines make up is whole."""
    return b"\n".join(line[1:] if line[:1] in (b"+", b"-", b" ") else line for line in patch.split(b"\n"))


def _whole(change: Change | None) -> list[bytes]:
    sides = (change.old, change.new) if change is not None else ()
    return [side.read() for side in sides if side is not None]
