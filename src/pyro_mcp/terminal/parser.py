"""Take a terminal's byte stream apart: text, control characters, and escape sequences (ECMA-48, as xterm reads it).

Whatever is in the stream, no byte of a sequence is ever taken for text, and what is kept of an unfinished one is bounded.
"""

from __future__ import annotations

import codecs
import re
from typing import Protocol

ESC = 0x1B
_TEXT = re.compile(rb"[^\x00-\x1f\x7f]+")
# A whole control sequence: private marker, parameters, intermediates, final. Nearly all that programs send.
_CSI = re.compile(rb"\x1b\[([<=>?]?)([0-9:;]*)([ -/]*)([@-~])")
_STRING_END = re.compile(rb"[\x07\x18\x1a\x1b]")
_CAN, _SUB, _BEL = 0x18, 0x1A, 0x07
# Of a string (a title, a link, a picture): the rest is dropped. Of parameters, too.
_LONGEST_STRING = 4096
_LONGEST_SEQUENCE = 256
# Larger ones do not fit any screen; a guest must not make us count to them.
_LARGEST = 65535


class Terminal(Protocol):
    """Who acts on what the parser finds. `position` is the number of bytes of the stream up to and with the item."""

    position: int

    def text(self, text: str) -> None: ...

    def control(self, code: int) -> None: ...

    def escape(self, intermediates: str, final: str) -> None: ...

    def sequence(self, private: str, parameters: list[int], intermediates: str, final: str) -> None: ...

    def command(self, text: str) -> None:
        """Take an operating system command (OSC)."""
        ...


class Parser:
    """The state between two chunks of the stream."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = bytearray()  # an escape sequence that is not complete yet
        self._string: bytearray | None = None  # of an OSC, DCS, SOS, PM or APC
        self._is_command = False
        self._fed = 0

    def feed(self, data: bytes) -> None:
        """Act on the next bytes of the stream."""
        at, size = 0, len(data)
        while at < size:
            if self._string is not None:
                at = self._in_string(data, at)
            elif self._begun:
                at = self._in_sequence(data, at)
            elif found := _TEXT.match(data, at):
                at = found.end()
                self._say(found.group(), at, last=at == size)
            else:
                at = self._on_control(data, at)
        self._fed += size

    def _say(self, run: bytes, end: int, *, last: bool) -> None:
        """Give text on; a character that the chunk's end cuts waits for its rest."""
        if run.isascii() and not self._decoder.getstate()[0]:
            text = run.decode("ascii")
        else:
            text = self._decoder.decode(run, final=not last)
        if text:
            self._terminal.position = self._fed + end
            self._terminal.text(text)

    def _on_control(self, data: bytes, at: int) -> int:
        terminal = self._terminal
        terminal.position = self._fed + at + 1
        if self._decoder.getstate()[0]:
            terminal.text(self._decoder.decode(b"", final=True))
        if data[at] != ESC:
            if data[at] != 0x7F:
                terminal.control(data[at])
            return at + 1
        if found := _CSI.match(data, at):
            terminal.position = self._fed + found.end()
            private, parameters, intermediates, final = (part.decode("ascii") for part in found.groups())
            terminal.sequence(private, _numbers(parameters), intermediates, final)
            return found.end()
        self._begun += b"\x1b"
        return at + 1

    # -- what a chunk's end has cut, and what is rare ---------------------------------------------------------------------

    def _in_sequence(self, data: bytes, at: int) -> int:
        """Take one byte of a sequence."""
        byte = data[at]
        self._terminal.position = self._fed + at + 1
        if byte == ESC:
            self._begun[:] = b"\x1b"
        elif byte in (_CAN, _SUB):
            self._begun.clear()
        elif byte < 0x20:
            self._terminal.control(byte)  # executed in the middle of a sequence, as every terminal does
        elif byte < 0x7F:
            self._begun.append(byte)
            self._look_at_sequence()
        elif byte > 0x7F:
            self._begun.clear()  # text: the sequence was none
            return at
        return at + 1

    def _look_at_sequence(self) -> None:
        begun = self._begun
        if len(begun) == 2 and begun[1] in b"]PX^_":
            self._string, self._is_command = bytearray(), begun[1] == 0x5D
            begun.clear()
        elif begun[1] == 0x5B:  # [
            if len(begun) > 2 and begun[-1] >= 0x40:
                self._dispatch()
            elif len(begun) > _LONGEST_SEQUENCE:
                del begun[_LONGEST_SEQUENCE:]
        elif begun[-1] >= 0x30:
            intermediates, final = begun[1:-1].decode("ascii"), chr(begun[-1])
            begun.clear()
            self._terminal.escape(intermediates, final)
        elif len(begun) > _LONGEST_SEQUENCE:
            del begun[_LONGEST_SEQUENCE:]

    def _dispatch(self) -> None:
        found = _CSI.fullmatch(bytes(self._begun))
        self._begun.clear()
        if found:  # else it is malformed, which every terminal ignores as a whole
            private, parameters, intermediates, final = (part.decode("ascii") for part in found.groups())
            self._terminal.sequence(private, _numbers(parameters), intermediates, final)

    def _in_string(self, data: bytes, at: int) -> int:
        assert self._string is not None
        found = _STRING_END.search(data, at)
        end = found.start() if found else len(data)
        room = _LONGEST_STRING - len(self._string)
        self._string += data[at : min(end, at + room)]
        if found is None:
            return end
        byte = data[end]
        if byte == _BEL and not self._is_command:
            return end + 1  # in other strings a bell is part of the string
        self._terminal.position = self._fed + end + 1
        string, self._string = self._string, None
        if byte == ESC:
            self._begun[:] = b"\x1b"  # of ST, whose backslash is an escape that does nothing
        if self._is_command and byte in (_BEL, ESC):
            self._terminal.command(string.decode("utf-8", "replace"))
        return end + 1


def _numbers(parameters: str) -> list[int]:
    """Read the parameters; a missing one is 0, of one with subparameters the first counts."""
    if not parameters:
        return []
    return [min(int(part.partition(":")[0][:9] or "0"), _LARGEST) for part in parameters.split(";")[:32]]
