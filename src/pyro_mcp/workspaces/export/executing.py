"""Which paths a host executes when somebody merely enters, opens or uses a directory. The patterns are data: executing.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from pathlib import Path

from pyro_mcp.errors import PolicyDenied
from pyro_mcp.models.names import display_name

_TOLD = 20
# A directory with these in it is a repository, whatever its name: git reads its `config` when somebody enters it.
_BARE = frozenset({b"HEAD", b"objects", b"refs"})


@dataclass(frozen=True)
class Executing:
    """The patterns, compiled; matched against a slash and the path."""

    anywhere: re.Pattern[bytes]
    home: re.Pattern[bytes]

    def executes(self, place: bytes, home: bytes) -> bool:
        """Whether the host executes what lies at an absolute path."""
        if self.anywhere.search(place):
            return True
        inside = place[len(home.rstrip(b"/")) :] if place.startswith(home.rstrip(b"/") + b"/") else b""
        return bool(inside) and self.home.match(inside) is not None


@cache
def patterns() -> Executing:
    """Read the patterns, once."""
    found = tomllib.loads(Path(__file__).with_name("executing.toml").read_text())
    return Executing(*(_compile(found[name]) for name in ("anywhere", "home")))


def refuse_executing(paths: Iterable[bytes], top: bytes, allowed: Sequence[str]) -> None:
    """Raise PolicyDenied that names each path below `top` which the host would execute, unless it is allowed.

    An allowed path counts from the top of the export; a directory allows what is below it.
    """
    home = bytes(Path.home())
    names = [name.strip("/").encode("utf-8", "surrogateescape") for name in allowed]
    known = sorted(set(paths))
    bare = _bare_repositories(known)
    refused = [
        path
        for path in known
        if (
            patterns().executes(top.rstrip(b"/") + b"/" + path if path else top, home) or _lies_in(path, bare)
        )
        and not _lies_in(path or top.rpartition(b"/")[2], names)
    ]
    if refused:
        more = f"\n… and {len(refused) - _TOLD} more" if len(refused) > _TOLD else ""
        raise PolicyDenied(
            f"the host would execute {_counted(len(refused))} of this export; nothing was written",
            details="\n".join(display_name(path or top) for path in refused[:_TOLD]) + more,
            hint="Look at them in the workspace first, then name each in <<allow_paths>>.",
        )


def executing_path(path: bytes) -> bool:
    """Whether the host would execute what lies at a path of a project, wherever the project is."""
    return patterns().anywhere.search(b"/" + path) is not None


def _bare_repositories(paths: Iterable[bytes]) -> list[bytes]:
    inside: dict[bytes, set[bytes]] = {}
    for path in paths:
        parts = path.split(b"/")
        for depth, name in enumerate(parts):
            if name in _BARE:
                inside.setdefault(b"/".join(parts[:depth]), set()).add(name)
    return [directory for directory, names in inside.items() if names == _BARE]


def _lies_in(path: bytes, directories: Sequence[bytes]) -> bool:
    return any(not name or path == name or path.startswith(name + b"/") for name in directories)


def _counted(count: int) -> str:
    return "one path" if count == 1 else f"{count} paths"


def _compile(names: Sequence[str]) -> re.Pattern[bytes]:
    return re.compile("|".join(_expression(name) for name in names).encode(), re.IGNORECASE)


def _expression(name: str) -> str:
    below = name.endswith("/")
    parts = [
        translate(part).removeprefix("(?s:").removesuffix(r")\Z").removesuffix(r")\z").replace(".*", "[^/]*")
        for part in name.strip("/").split("/")
    ]
    return "/" + "/".join(parts) + ("/" if below else r"(?:/|\Z)")
