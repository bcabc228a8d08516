"""The marks of real shells: bash and sh of this host, started as a workspace's are."""

import os
import pty
import select
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyro_mcp.terminal.screen import Screen
from pyro_mcp.workspaces.shells.startup import shell_request


class RealShell:
    """A shell on a terminal, and what is on its screen."""

    def __init__(self, program: dict[str, object], root: Path) -> None:
        argv = [str(word).replace("/run/pyro", f"{root}/run/pyro") for word in program["argv"]]  # type: ignore[attr-defined]
        given: dict[str, str] = program["env"]  # type: ignore[assignment]
        env = {name: value.replace("/run/pyro", f"{root}/run/pyro") for name, value in given.items()}
        self.screen = Screen(80, 24)
        self.pid, self._terminal = pty.fork()
        if not self.pid:
            os.chdir(root)
            os.execve(argv[0], argv, {"PATH": "/usr/bin:/bin", "HOME": str(root), **env})

    def enter(self, line: str) -> str:
        """Enter a line; give the state that the shell is in afterwards."""
        self.screen.marks.entered(1)
        os.write(self._terminal, f"{line}\n".encode())
        return self.until_prompt()

    def until_prompt(self) -> str:
        deadline = time.monotonic() + 10
        while self.screen.marks.state not in ("prompt", "continuation"):
            assert select.select([self._terminal], [], [], deadline - time.monotonic())[0], (
                self.screen.grid.text()
            )
            self.screen.feed(os.read(self._terminal, 65536))
        return self.screen.marks.state

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._terminal)


def _started(name: str, root: Path) -> RealShell:
    request = shell_request(cwd="/", env={"MY": "own"}, defaults={}, cols=80, rows=24)
    files: dict[str, str] = request["files"]  # type: ignore[assignment]
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    programs: list[dict[str, object]] = request["programs"]  # type: ignore[assignment]
    return RealShell(next(item for item in programs if str(item["argv"][0]).endswith(f"/{name}")), root)  # type: ignore[index]


@pytest.fixture(params=["bash", "sh"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealShell]:
    if shutil.which(f"/bin/{request.param}") is None:
        pytest.skip(f"this host has no {request.param}")
    (tmp_path / ".bashrc").write_text("PS1='mine> '; MY_RC=read; PROMPT_COMMAND=:\n")
    started = _started(request.param, tmp_path)
    yield started
    started.close()


def test_prompts_exit_codes_and_lines_that_go_on(shell: RealShell) -> None:
    assert shell.until_prompt() == "prompt"
    assert shell.enter("(exit 7)") == "prompt"
    assert shell.screen.marks.exit_code == 7
    assert shell.enter('echo "$MY"') == "prompt"
    assert shell.screen.marks.exit_code == 0
    assert "own" in shell.screen.grid.text()
    assert shell.enter("echo 'not") == "continuation"
    assert shell.enter("complete'") == "prompt"
    assert "]133" not in "\n".join(shell.screen.grid.text())


@pytest.mark.skipif(shutil.which("/bin/bash") is None, reason="this host has no bash")
def test_bash_reads_its_users_file_and_keeps_its_marks_whatever_becomes_of_the_prompt(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("PS1='mine> '; MY_RC=read; PROMPT_COMMAND=:\n")
    shell = _started("bash", tmp_path)
    try:
        shell.until_prompt()
        assert shell.screen.grid.text()[0].startswith("mine>")
        assert shell.enter("echo $MY_RC; PS1='other> '") == "prompt"
        assert "read" in shell.screen.grid.text()
        assert shell.enter("false") == "prompt"
        assert shell.screen.marks.exit_code == 1
        assert shell.screen.grid.text()[-1].startswith("other>")
    finally:
        shell.close()
