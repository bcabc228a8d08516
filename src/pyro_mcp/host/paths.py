"""Where pyro keeps its things on this host, by the XDG base directory rules."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyro_mcp.errors import HostUnfit


@dataclass(frozen=True)
class Paths:
    """Four directories; none is made before something is to be put in it.

    `cache` can be rebuilt, `state` is what the user would miss, `runtime` dies with the login session or the boot,
    `config` is written by people.
    """

    cache: Path
    state: Path
    runtime: Path
    config: Path

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> "Paths":
        """Find the directories; `PYRO_HOME` moves all four under one roof."""
        if home := variables.get("PYRO_HOME"):
            root = Path(home).absolute()
            return cls(root / "cache", root / "state", root / "runtime", root / "config")
        return cls(
            cache=_xdg(variables, "XDG_CACHE_HOME", ".cache"),
            state=_xdg(variables, "XDG_STATE_HOME", ".local/state"),
            runtime=_runtime(variables),
            config=_xdg(variables, "XDG_CONFIG_HOME", ".config"),
        )


def _xdg(variables: Mapping[str, str], name: str, default: str) -> Path:
    """The specification says that a relative path is invalid and must be ignored."""
    chosen = variables.get(name, "")
    home = Path(variables.get("HOME") or Path.home())
    return (Path(chosen) if chosen.startswith("/") else home / default) / "pyro"


def _runtime(variables: Mapping[str, str]) -> Path:
    chosen = variables.get("XDG_RUNTIME_DIR", "")
    if chosen.startswith("/") and Path(chosen).is_dir():
        return Path(chosen) / "pyro"
    return Path(f"/tmp/pyro-{os.getuid()}")  # noqa: S108 - private_directory() checks whose it is before use


def private_directory(path: Path) -> Path:
    """Make `path` (and its parents) for this user alone, or make sure that it already is.

    Raises HostUnfit when somebody else owns it or can write to it: in /tmp anybody may have made it first.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise HostUnfit(
            f"{path} is not a directory of yours alone",
            details=f"owner uid {found.st_uid}, mode {stat.S_IMODE(found.st_mode):o}",
            hint=f"Remove {path}, or set XDG_RUNTIME_DIR or PYRO_HOME to a directory of your own.",
        )
    return path
