"""What a failed test (or a bug report) finds afterwards about machines that are long gone."""

import os
import signal
from pathlib import Path

import pytest
from tests.ladder import Machines
from tests.remains import qemu_of

from pyro_mcp import OutcomeUnknown
from pyro_mcp.host.waiting import wait_until


def _story(tmp_path: Path) -> str:
    """`nothing_left` sends the logs of every test's machines here."""
    (story,) = (tmp_path / "logs").glob("run-*/machine.log")
    return story.read_text()


def test_a_machine_that_ended_well_leaves_its_story(machines: Machines, tmp_path: Path) -> None:
    with machines() as machine:
        pass
    story = _story(tmp_path)
    assert machine.machine_id in story
    assert "timings: {'launch_ms': " in story
    assert '-> {"execute": "cont"}' in story


def test_a_machine_that_died_leaves_it_too(machines: Machines, home: Path, tmp_path: Path) -> None:
    with machines() as machine, machine.channel() as channel:
        qemu = wait_until(lambda: qemu_of(home), what="QEMU", timeout=5)
        command = {"verb": "exec", "argv": ["sh", "-c", "echo up; sleep 9"], "cwd": "/", "stdin": False}
        with pytest.raises(OutcomeUnknown, match=r"the machine died: .*exit 137"):
            channel.ask(command, on_data=lambda *_: os.kill(qemu.pid, signal.SIGKILL), timeout=20)
    assert '-> {"execute": "cont"}' in _story(tmp_path)
