"""Runners that cannot be made."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import cast

import pytest

from pyro_agent.base import system
from pyro_agent.runners.cgroups import Cgroups
from pyro_agent.runners.runner import fork_runner


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
