"""Ctrl-C and its kin, pressed on a real command: the guest's command gets it, and nothing is left."""

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest
from tests.ladder import DEBIAN, PyroProgram
from tests.remains import keeper_of, remains

from pyro_mcp import Pyro
from pyro_mcp.environments.values import Environment
from pyro_mcp.host.waiting import wait_until

_CATCHES = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
_IGNORES = "trap '' INT TERM; echo ready; while :; do sleep 0.1; done"


def _once_ready(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"


def test_ctrl_c_reaches_the_command(pyro: PyroProgram) -> None:
    with pyro.start("run", DEBIAN, "--", "sh", "-c", _CATCHES) as process:
        _once_ready(process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert (process.returncode, out) == (9, b"caught\n")


def test_a_command_that_ctrl_c_ends_is_130(pyro: PyroProgram) -> None:
    with pyro.start("run", DEBIAN, "--", "sh", "-c", "echo ready; exec sleep 1000") as process:
        _once_ready(process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert b"interrupted" in said


def test_a_second_ctrl_c_kills_what_ignores_the_first(pyro: PyroProgram) -> None:
    with pyro.start("run", DEBIAN, "--", "sh", "-c", _IGNORES) as process:
        _once_ready(process)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: _handled(process, signal.SIGINT), what="pyro to take the first Ctrl-C", timeout=10)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode in (130, 137)
    assert b"Traceback" not in said


def _handled(process: "subprocess.Popen[bytes]", number: int) -> bool:
    """Whether no such signal waits to be delivered."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    pending = [int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd:", "ShdPnd:"))]
    return not any(mask & 1 << (number - 1) for mask in pending)


def test_the_key_itself_on_a_terminal(pyro: PyroProgram) -> None:
    near, far = pty.openpty()

    def own_the_terminal() -> None:
        os.setsid()
        import fcntl
        import termios

        fcntl.ioctl(far, termios.TIOCSCTTY, 0)

    arguments = ("run", "-q", DEBIAN, "--", "sh", "-c", _CATCHES)
    with pyro.start(*arguments, stdin=far, stdout=far, stderr=far, preexec_fn=own_the_terminal) as process:
        os.close(far)
        shown = b""
        while b"ready" not in shown:
            shown += os.read(near, 4096)
        os.write(near, b"\x03")
        while b"caught" not in shown:
            shown += os.read(near, 4096)
    os.close(near)
    assert process.returncode == 9


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_pyro_ends_the_machine(pyro: PyroProgram, home: Path, number: int) -> None:
    def heed_it() -> None:
        signal.signal(number, signal.SIG_DFL)  # under nohup, tests and pyro inherit that a hang-up is ignored

    with pyro.start("run", DEBIAN, "--", "sh", "-c", _IGNORES, preexec_fn=heed_it) as process:
        _once_ready(process)
        process.send_signal(number)
        process.communicate()
    assert process.returncode != 0
    wait_until(lambda: not remains(home), what="the machine to end", timeout=10)


def test_ctrl_c_before_the_machine_answers(pyro: PyroProgram, home: Path) -> None:
    with pyro.start("run", DEBIAN, "--", "echo", "too late") as process:
        wait_until(lambda: keeper_of(home), what="pyro to start a keeper", timeout=10)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate()
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in said


def test_a_reader_that_has_enough_ends_the_command(pyro: PyroProgram, environment: Environment) -> None:
    """As in any pipeline: nothing is said, the status is 141, and nothing goes on in the machine."""
    with Pyro().workspace.create(name="pipes") as workspace:
        for command in (["run", "-q", DEBIAN], ["workspace", "exec", "-q", "pipes"]):
            with pyro.start(*command, "--", "yes") as process:
                assert process.stdout is not None
                assert process.stdout.read(2) == b"y\n"
                process.stdout.close()
                process.wait(30)
                assert process.stderr is not None
                assert (process.returncode, process.stderr.read()) == (141, b"")
        assert workspace.status().running == ()


def test_an_output_that_is_full_ends_the_command_and_is_told(
    pyro: PyroProgram, environment: Environment
) -> None:
    with Pyro().workspace.create(name="full") as workspace, Path("/dev/full").open("wb") as full:
        for command in (["run", DEBIAN], ["workspace", "exec", "full"]):
            with pyro.start(*command, "--", "yes", stdout=full) as process:
                _, said = process.communicate(timeout=30)
            assert process.returncode == 125
            assert b"stdout takes no more: No space left" in said
        assert workspace.status().running == ()
