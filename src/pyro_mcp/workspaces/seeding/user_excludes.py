"""The user's own ignore patterns, which git applies in every repository: the host's user is trusted, a seed is not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pyro_mcp.workspaces.seeding.gitconfig import parse_config

_SMALL = 1 << 20


def user_excludes(variables: Mapping[str, str] = os.environ) -> bytes:
    """Read the file that core.excludesFile of the user's configuration names, or git's default for it."""
    home = Path(variables.get("HOME") or "/")
    chosen = variables.get("XDG_CONFIG_HOME", "")
    git = (Path(chosen) if chosen.startswith("/") else home / ".config") / "git"
    excludes = git / "ignore"
    for configuration in (git / "config", home / ".gitconfig"):
        text = _read(configuration)
        for setting in parse_config(text):
            if (setting.section, setting.subsection, setting.key) == (b"core", None, b"excludesfile"):
                named = os.fsdecode(setting.value)
                excludes = home / named.removeprefix("~/") if named.startswith("~/") else home / named
    return _read(excludes)


def _read(path: Path) -> bytes:
    """Links are followed: people keep these files in a repository of their own."""
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(_SMALL)
    except OSError:
        return b""
