"""Runners that cannot be made."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from pyro_agent.base import system
from pyro_agent.runners.cgroups import Cgroups
from pyro_agent.runners.runner import fork_runner

# As PID 1 does it: a child that ends within the grace is none, one that stays is.
_LEAVING = """
import os, signal, sys, time
from pyro_agent.runners.runner import left_alone
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
child = os.fork()
if not child:
    time.sleep(float(sys.argv[1]))
    os._exit(0)
print(left_alone(float(sys.argv[2])))
if sys.argv[1] == "60":
    os.kill(child, signal.SIGKILL)
"""


@pytest.mark.parametrize(("lives", "grace", "alone"), [("0.1", "9", "True"), ("60", "0.1", "False")])
def test_what_ends_because_its_command_did_is_not_left_behind(lives: str, grace: str, alone: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LEAVING, lives, grace], capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout == f"{alone}\n"


class Group:
    """Remembers whether it was taken away again."""

    def __init__(self) -> None:
        self.removed = False

    def create(self) -> Group:
        return self

    def remove(self) -> None:
        self.removed = True


@pytest.mark.parametrize("fails", ["pipe2", "fork"])
def test_one_that_cannot_be_made_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    """Else each try of a machine that is short of memory takes more of it."""
    real = os.pipe2
    made: list[bool] = []

    def pipe2(flags: int) -> tuple[int, int]:
        if fails == "pipe2" and len(made) == 3:
            raise OSError(errno.ENFILE, "no more files")
        made.append(True)
        return real(flags)

    def fork() -> int:
        raise OSError(errno.ENOMEM, "no memory")

    monkeypatch.setattr(os, "pipe2", pipe2)
    monkeypatch.setattr(os, "fork", fork)
    monkeypatch.setattr(system, "unshare", lambda _: None)
    monkeypatch.setattr(system, "enter_namespace", lambda *_: None)
    group, before = Group(), len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="no m"):
        fork_runner(cast("Cgroups", group), -1, attached=False)
    assert made
    assert group.removed
    assert len(list(Path("/proc/self/fd").iterdir())) == before
