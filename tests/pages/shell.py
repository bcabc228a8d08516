"""A person's shell: one bash for a whole page, so that directories and variables carry over, with a home of its own."""

import os
import re
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

_PYRO = Path(sys.executable).parent
# What a command of a page may take at most: the longest builds nothing, but copies a whole Debian out of an emulated machine.
_SECONDS = 300.0
_ID = re.compile(r"\b(?:ws|out)-[0-9a-z]{10}\b")


class Shell:
    """Types commands, and gives what came of each."""

    def __init__(self, home: Path, cwd: Path, variables: Mapping[str, str]) -> None:
        self.home = home
        self._cwd = cwd
        self._variables = variables
        self._ids: dict[str, str] = {}
        self._newest: dict[str, str] = {}

    def __enter__(self) -> Self:
        done, told = os.pipe()
        self._done = done
        self._output = self.home / ".said"
        path = f"{_PYRO}:{os.environ['PATH']}"
        variables = {**os.environ, "HOME": str(self.home), "PATH": path, **self._variables}
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            cwd=self._cwd,
            env=variables,
            pass_fds=(told,),
            text=True,
        )
        os.close(told)
        self._told = told
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._bash.stdin is not None
        self._bash.stdin.close()
        if kind is not None:
            self._bash.kill()
        self._bash.wait()
        os.close(self._done)

    def run(self, command: str) -> tuple[int, list[str]]:
        """Run a command as it stands; give its exit status and its lines, both streams as they came."""
        assert self._bash.stdin is not None
        command = _ID.sub(self._here, command)
        self._bash.stdin.write(f"{{ {command}\n}} >{self._output} 2>&1 </dev/null; echo $? >&{self._told}\n")
        self._bash.stdin.flush()
        status = self._status(command)
        return status, self._output.read_text(errors="replace").splitlines()

    def hear(self, told: str, said: str) -> None:
        """Remember which ids here are those that the page tells of, in their order, and the newest of each kind."""
        found = _ID.findall(said)
        self._ids |= dict(zip(_ID.findall(told), found, strict=False))
        self._newest |= {id.partition("-")[0]: id for id in found}

    def _here(self, found: re.Match[str]) -> str:
        """What an id of the page is here; one that it made up is the newest of its kind."""
        kind = found[0].partition("-")[0]
        return self._ids.get(found[0]) or self._newest.get(kind, found[0])

    def _status(self, command: str) -> int:
        end = monotonic() + _SECONDS
        while not select.select([self._done], [], [], max(0.0, end - monotonic()))[0]:
            assert monotonic() < end, f"it does not end: {command}"
        answer = os.read(self._done, 16)
        assert answer, f"the shell has gone: {command}"
        return int(answer)
