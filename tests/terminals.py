"""A person's terminal, for `pyro workspace attach`."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

_PROGRAM = str(Path(sys.executable).with_name("pyro"))


class Terminal:
    """A person's terminal, with `pyro workspace attach` on it."""

    def __init__(self, *arguments: str) -> None:
        self._near, far = pty.openpty()
        self.resize(100, 40)
        self.before = termios.tcgetattr(far)
        self.process = subprocess.Popen(
            [_PROGRAM, "workspace", "attach", *arguments],
            stdin=far,
            stdout=far,
            stderr=far,
            start_new_session=True,
        )
        self._far = far
        self.seen = b""

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._near, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        self.seen = b""
        os.write(self._near, keys)

    def until(self, words: bytes) -> None:
        deadline = time.monotonic() + 20
        while words not in self.seen:
            assert select.select([self._near], [], [], deadline - time.monotonic())[0], self.seen
            self.seen += os.read(self._near, 65536)

    def close(self) -> None:
        try:
            assert termios.tcgetattr(self._far) == self.before
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self._near)
            os.close(self._far)
