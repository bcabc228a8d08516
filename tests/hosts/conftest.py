"""The real command-line clients of chat hosts, in a directory of their own, and a user without any configuration."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.opened import git

from pyro_mcp.host.paths import Paths

_PACKAGES = Path(__file__).with_name("package.json")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PYRO = Path(sys.executable).with_name("pyro")


@dataclass(frozen=True)
class User:
    """Somebody who sits in a project with the clients on the path."""

    home: Path
    project: Path
    variables: dict[str, str]

    def run(self, *command: str, status: int = 0, timeout: float = 100) -> str:
        """Run a command in the project; give what it printed."""
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.project,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )
        said = f"{command}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == status, said
        return _COLOURS.sub("", done.stdout + done.stderr)

    def pyro(self, *arguments: str, status: int = 0) -> str:
        """Run the pyro under test."""
        return self.run(str(_PYRO), *arguments, status=status)


@pytest.fixture(scope="session")
def clients() -> Path:
    """The directory of the clients' programs; npm installs them at the first time (1.2 GB)."""
    if shutil.which("npm") is None:
        pytest.fail("npm is missing: apt-get install npm, with Node 20 or later")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "pyro-chat-hosts" / hashlib.sha256(_PACKAGES.read_bytes()).hexdigest()[:12]
    if not (home / "complete").exists():
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(_PACKAGES, home)
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
        subprocess.run(command, cwd=home, check=True, stdout=sys.stderr, timeout=900)
        (home / "complete").touch()
    return home / "node_modules" / ".bin"


@pytest.fixture
def user(clients: Path, tmp_path: Path) -> User:
    """A new user each time; only pyro's cache is that of whoever runs the tests."""
    home, project = tmp_path / "home", tmp_path / "home" / "project"
    project.mkdir(parents=True)
    git(project, "init", "-q")
    variables = {
        "HOME": str(home),
        "PATH": f"{clients}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(Paths.from_environment().cache.parent),
        "XDG_STATE_HOME": str(home / "state"),
        "NO_COLOR": "1",
        # No update and no word to anybody.
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
    }
    return User(home, project, variables)
