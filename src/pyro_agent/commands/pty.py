"""Verb `pty`: a command on a terminal of its own, for as long as somebody keeps its stream open."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from pyro_agent.base import system
from pyro_agent.commands.exec import Exec, signal_number
from pyro_agent.commands.pipes import InputPipe, OutputPipe
from pyro_agent.disk import mounts
from pyro_agent.runners.runner import Runner
from pyro_wire import messages
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message, MessageError

# <linux/tty.h> counts in 16 bits; nobody reads a screen that is larger than this.
_MOST_COLUMNS = 1000
_MOST_ROWS = 500
# <asm-generic/ioctls.h>
_TIOCSPTLCK = 0x40045431
_TIOCGPTN = 0x80045430


@dataclass(frozen=True, slots=True)
class Terminal:
    """A pseudo-terminal, both ends held: so its output can be read to the last byte when nobody in it is left."""

    master: int
    slave: int
    number: int

    @classmethod
    def open(cls, devices: str = mounts.DEVICES) -> Terminal:
        """Make one in the workspace's /dev/pts."""
        flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
        master = os.open(f"{devices}/pts/ptmx", flags | os.O_NONBLOCK)
        try:
            fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
            (number,) = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, b"\0" * 4))
            slave = os.open(f"{devices}/pts/{number}", flags)
        except BaseException:
            os.close(master)
            raise
        _erase_whole_characters(slave)
        return cls(master, slave, number)

    def resize(self, columns: int, rows: int) -> None:
        """Take another size; the kernel tells the foreground."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number: int) -> bool:
        """Signal the foreground process group; False where there is none."""
        group = os.tcgetpgrp(self.master)
        if group <= 1:
            return False
        os.killpg(group, number)
        return True

    def close(self) -> None:
        """Give both ends back."""
        os.close(self.slave)
        os.close(self.master)


class Pty(Exec):
    """One terminal from request to answer.

    `programs` is a list of what to run, each like an exec's `argv` and `env`: the first that is there is taken. `files` are
    written before, by their path in the workspace's root. Control: `{"columns", "rows"}`, or `{"signal"}` for the foreground.
    """

    _terminal: Terminal | None = None

    def start(self, message: Message) -> None:
        """Open a terminal and start a program on it."""
        columns, rows = _size(message)
        root = self.machine.root
        if root is None:
            raise FaultError("conflict", "this machine has no disk yet", hint="attach one first")
        program = choose(root, message)
        for path, text in messages.text_map(message, "files").items():
            with suppress(OSError):  # the program does without
                mounts.write_text(root, path, text)
        self._terminal = terminal = Terminal.open()
        terminal.resize(columns, rows)
        super().start({**message, **program, "terminal": terminal.number, "stdin": True})
        self._mux.control(self.stream, {"program": messages.texts(program, "argv")[0]})

    def open_streams(self, runner: Runner) -> None:
        """Tie the terminal to the stream; the pipes are not used."""
        assert self._terminal is not None
        for descriptor in (runner.stdin, runner.stdout, runner.stderr):
            os.close(descriptor)
        loop, master = self.machine.loop, self._terminal.master
        self._stdin = InputPipe(loop, os.dup(master), self)
        self._outputs = [OutputPipe(loop, os.dup(master), self, 1)]

    def on_ended(self) -> None:
        """Go on: a terminal's input has no end but the key for it."""

    def on_control(self, message: Message) -> None:
        """Resize, or signal the foreground; what comes too late or makes no sense is ignored, for it must not end the shell."""
        if self._terminal is None or self._outcome.known:
            return
        with suppress(MessageError, OSError):
            if "signal" in message:
                self._signal(signal_number(message), message)
            else:
                self._terminal.resize(*_size(message))

    def _signal(self, number: int, message: Message) -> None:
        assert self._terminal is not None
        if not self._terminal.signal(number):
            super().on_control(message)

    def release(self) -> None:
        """Kill what still lives and give everything back."""
        super().release()
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            terminal.close()


def choose(root: int, message: Message) -> Message:
    """Return the first of the programs that the workspace has, else the last."""
    programs = message.get("programs")
    if not isinstance(programs, list) or not programs:
        raise MessageError("programs: a list with at least one belongs here")
    chosen: Mapping[str, object] = {}
    for program in programs:
        if not isinstance(program, dict):
            raise MessageError("programs: objects belong here")
        chosen = program
        argv = messages.texts(program, "argv")
        if not argv:
            raise MessageError("programs: one names no command")
        if _is_there(root, argv[0]):
            break
    return {"argv": chosen["argv"], "env": chosen.get("env")}


def _is_there(root: int, path: str) -> bool:
    try:
        os.close(system.open_in_root(root, path, os.O_PATH))
    except OSError:
        return False
    return True


def _size(message: Message) -> tuple[int, int]:
    return (
        messages.integer(message, "columns", low=1, high=_MOST_COLUMNS),
        messages.integer(message, "rows", low=1, high=_MOST_ROWS),
    )


def _erase_whole_characters(terminal: int) -> None:
    """Let backspace take a character of several bytes as one."""
    settings = termios.tcgetattr(terminal)
    settings[0] |= getattr(termios, "IUTF8", 0x4000)
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
