"""A shell as an agent would run it, for tests of the keeper: it echoes, marks its prompts, and knows a few words."""

from collections.abc import Callable

PROMPT = b"\x1b]133;D;0\x07\x1b]133;A\x07$ \x1b]133;B\x07"
_FLOOD = b"".join(b"line %d of a flood\r\n" % number for number in range(200_000))


class FakeShell:
    """`say` sends output, `exit` ends it with a status."""

    def __init__(self, say: Callable[[bytes], None], exit_with: Callable[[int], None], secret: bytes) -> None:
        self._say, self._exit, self._secret = say, exit_with, secret
        self._line = b""
        say(PROMPT)

    def type(self, data: bytes) -> None:
        """Take what the keyboard sends, key by key."""
        for at in range(len(data)):
            key = data[at : at + 1]
            if key not in b"\r\n":
                self._line += key
                self._say(key)
                continue
            line, self._line = self._line, b""
            self._say(b"\r\n\x1b]133;C\x07")
            self._run(line)

    def _run(self, line: bytes) -> None:
        if line == b"exit":
            self._exit(3)
        elif line in (b"slow", b"fullscreen"):
            self._say(b"\x1b[?1049h\x1b[?25l\x1b[Hfull" if line == b"fullscreen" else b"")
        else:
            known = {
                b"many": b"".join(b"%d\r\n" % number for number in range(10)),
                b"secret": b"it is " + self._secret + b"\r\n",
                b"flood": _FLOOD,
            }
            self._say(known.get(line, line[::-1] + b"\r\n") + PROMPT)
