"""A home directory and a project in it, as a user has them."""

from pathlib import Path

import pytest

from pyro_mcp.chat_hosts.finding import surroundings
from pyro_mcp.chat_hosts.known import Surroundings


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    """Below the root of a git repository."""
    inner = tmp_path / "home" / "project" / "src"
    inner.mkdir(parents=True)
    (inner.parent / ".git").mkdir()
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "PYRO_HOME": "/srv/pyro",
        "TOKEN": "t",
    }
    return surroundings(variables, tmp_path / "home", inner)
