"""A workspace on a real machine, for tests of what is done with its files: opened, used through the engine, deleted."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyro_mcp.environments.values import Environment
from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.exec import ExecRequest, exec_command
from pyro_mcp.workspaces.lifecycle import CreateRequest, create_workspace, delete_workspace
from pyro_mcp.workspaces.session import Session, Sessions


@dataclass(frozen=True)
class Opened:
    """One workspace."""

    sessions: Sessions
    id: str

    def using(self) -> AbstractContextManager[Session]:
        """Use it as an operation does."""
        return self.sessions.using(self.id, "test")

    def run(self, command: str) -> str:
        """Run a shell command that must succeed; give what it printed."""
        result = exec_command(self.sessions, self.id, ExecRequest(command=command))
        assert result.exit_code == 0, f"{command}: {result.stdout}{result.stderr}"
        return result.stdout


# The keeper outlives whoever started it: that Python finds a running child forgotten is what is wanted.
outliving = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
Opening = Callable[[Path | None], AbstractContextManager[Opened]]


@pytest.fixture
def opening(environment: Environment) -> Opening:
    """Opens a workspace on a seed, as often as it is called."""

    @contextmanager
    def opened(seed: Path | None = None) -> Iterator[Opened]:
        sessions = Engine().sessions
        request = CreateRequest(seed_path=None if seed is None else str(seed))
        found = Opened(sessions, create_workspace(sessions, request).workspace_id)
        try:
            yield found
        finally:
            delete_workspace(sessions, found.id)
            sessions.registry.close()

    return opened


def git(directory: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run git as a stranger without configuration would; give what it printed."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        **{f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    done = subprocess.run(
        ["git", "-C", directory, *arguments], input=stdin, capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr.decode(errors='replace')}"
    return done.stdout
