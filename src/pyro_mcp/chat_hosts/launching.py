"""How a chat host has to start this very pyro, in words that still hold tomorrow: docs/design/chat-hosts.md says why."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

_DISTRIBUTION = "pyro-mcp"


@dataclass(frozen=True)
class Installed:
    """Where this pyro is, as facts."""

    # sys.prefix: the environment it is installed in.
    prefix: Path
    # The interpreter.
    python: Path
    # What uv keeps its throwaway environments below.
    uv_cache: Path
    # `pyro` as the shell finds it, and uvx; None where it finds none.
    pyro_on_path: Path | None
    uvx_on_path: Path | None
    # What uvx takes after --from to get this pyro.
    requirement: str

    @classmethod
    def here(cls) -> "Installed":
        """Look around."""
        return cls(
            prefix=Path(sys.prefix),
            python=Path(sys.executable),
            uv_cache=_uv_cache(),
            pyro_on_path=_found("pyro"),
            uvx_on_path=_found("uvx"),
            requirement=_requirement(),
        )


def launcher(installed: Installed) -> tuple[str, ...]:
    """Give the words that start pyro: an absolute path, or uvx where this pyro will not stay.

    Absolute, for a host that a desktop starts has another PATH than the shell.
    """
    program = installed.prefix / "bin" / "pyro"
    if _is_below(installed.prefix, installed.uv_cache) and installed.uvx_on_path is not None:
        return (str(installed.uvx_on_path), "--from", installed.requirement, "pyro")
    if not program.exists():
        return (str(installed.python), "-m", "pyro_mcp")
    on_path = installed.pyro_on_path
    # `uv tool` and pipx link it into a directory of the user's, which outlives the environment it points into.
    if on_path is not None and on_path.resolve() == program.resolve():
        return (str(on_path),)
    return (str(program),)


def requirement_of(version: str, direct_url: str | None) -> str:
    """Say where a distribution came from, by PEP 610's record of it; without one it came from the index."""
    if direct_url is None:
        return f"{_DISTRIBUTION}=={version}"
    origin = json.loads(direct_url)
    url = str(origin["url"])
    vcs = origin.get("vcs_info")
    if isinstance(vcs, dict):
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    return f"{_DISTRIBUTION} @ {url}"


def spelt(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The program and its arguments, as most configurations want them."""
    return words[0], words[1:]


def _requirement() -> str:
    try:
        found = distribution(_DISTRIBUTION)
    except PackageNotFoundError:  # run from its sources
        return _DISTRIBUTION
    return requirement_of(found.version, found.read_text("direct_url.json"))


def _found(name: str) -> Path | None:
    path = shutil.which(name)
    return Path(path).absolute() if path else None


def _uv_cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("UV_CACHE_DIR") or f"{home}/uv")


def _is_below(path: Path, directory: Path) -> bool:
    return path.resolve().is_relative_to(directory.resolve())
