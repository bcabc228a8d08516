"""A pseudo-terminal of the agent's, and which program is started on it."""

from __future__ import annotations

import os
import pty
import signal
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyro_agent.commands.pty import Terminal, choose
from pyro_wire.messages import MessageError


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """One of this host's."""
    master, slave = pty.openpty()
    made = Terminal(master, slave, 0)
    yield made
    made.close()


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    """A workspace's root with a shell, and a link to nowhere."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sh").touch()
    (tmp_path / "bin/bash").symlink_to("/etc/alternatives/bash")
    descriptor = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_its_size(terminal: Terminal) -> None:
    terminal.resize(132, 43)
    assert os.get_terminal_size(terminal.slave) == os.terminal_size((132, 43))


def test_no_signal_where_nothing_is_in_the_foreground(terminal: Terminal) -> None:
    assert terminal.signal(signal.SIGTERM) is False


def test_a_signal_reaches_what_is_in_the_foreground(terminal: Terminal) -> None:
    child = os.fork()
    if not child:
        os.setsid()
        os.open(os.ttyname(terminal.slave), os.O_RDWR)
        os.write(1, b"")
        os.write(terminal.slave, b"x")
        signal.pause()
        os._exit(0)
    os.read(terminal.master, 1)
    assert terminal.signal(signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM


@pytest.mark.skipif(not os.access("/dev/pts/ptmx", os.W_OK), reason="this host's devpts is not for us")
def test_one_is_opened_with_both_ends() -> None:
    made = Terminal.open("/dev")
    try:
        os.write(made.slave, b"hello")
        assert os.read(made.master, 5) == b"hello"
        assert os.ttyname(made.slave).endswith(f"/{made.number}")
        assert termios.tcgetattr(made.slave)[0] & 0x4000
    finally:
        made.close()


def test_the_first_program_that_is_there_is_chosen_and_else_the_last(root: int) -> None:
    bash, sh = {"argv": ["/bin/bash", "-i"]}, {"argv": ["/bin/sh"], "env": {"A": "b"}}
    assert choose(root, {"programs": [bash, sh]}) == {"argv": ["/bin/sh"], "env": {"A": "b"}}
    assert choose(root, {"programs": [sh, bash]})["argv"] == ["/bin/sh"]
    assert choose(root, {"programs": [bash]})["argv"] == ["/bin/bash", "-i"]


@pytest.mark.parametrize("programs", [None, [], "sh", ["sh"], [{}], [{"argv": []}], [{"argv": ["a\0"]}]])
def test_programs_that_are_none_are_refused(root: int, programs: object) -> None:
    with pytest.raises(MessageError):
        choose(root, {"programs": programs})
