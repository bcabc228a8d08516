"""The ways in which a secret value is written by programs that mean no harm.

As it is, percent-encoded, escaped in JSON, quoted in a shell, in hexadecimal, and in base64 (also URL-safe, also broken into
lines) at each of the three places where it can fall in the encoded text. Mixtures are meant too: only the characters that
need it are encoded.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, product

# All ways to write one character, the plain one first.
Unit = tuple[bytes, ...]

# A line of a longer value (a key file's, for one) is a secret of its own when it looks like nothing else.
_LEAST_LINE = 16
# Fewer characters of base64 than this stand in any text by chance.
_LEAST_BASE64 = 5
# So many bytes tell where it is worth comparing; the spellings of each character in them multiply.
_ANCHOR_BYTES = 3
_BLOCK_UNITS = 64
_ALSO: dict[str, tuple[bytes, ...]] = {
    "\n": (b"\r\n", b"\\r\\n", b"%0D%0A", b"%0d%0a"),
    " ": (b"+",),
    "/": (b"\\/",),
    "'": (b"'\\''",),
}
_BREAKS = (b"", b"\n", b"\r\n", b"\\n")
# Between two bytes in hexadecimal: nothing, a line of `xxd -p`, the columns of a dump, a fingerprint's colon.
_BETWEEN = (b"", b"\n", b" ", b":")


@dataclass(frozen=True, slots=True)
class Form:
    """One secret in one manner of writing, as a sequence of characters with their spellings."""

    name: str
    units: tuple[Unit, ...]
    # The plain text of every 64 units, to compare long values quickly; None where more than one reading is possible.
    blocks: tuple[bytes | None, ...]

    def anchors(self) -> set[bytes]:
        """How it can begin."""
        return {b"".join(parts) for parts in product(*self.units[: self._telling_units()])}

    def _telling_units(self) -> int:
        least = accumulate(min(map(len, unit)) for unit in self.units)
        return next((count for count, size in enumerate(least, 1) if size >= _ANCHOR_BYTES), len(self.units))

    def reach(self, data: bytes, start: int) -> tuple[int | None, bool]:
        """Where the value that begins at `start` ends (None: it is not there), and whether more data could change that."""
        ends, cut, index = {start}, False, 0
        while ends and index < len(self.units):
            block = self.blocks[index // _BLOCK_UNITS] if index % _BLOCK_UNITS == 0 else None
            if block is not None and len(ends) == 1 and data.startswith(block, at := next(iter(ends))):
                ends, index = {at + len(block)}, index + _BLOCK_UNITS
                continue
            ends, short = _step(self.units[index], data, ends)
            cut, index = cut or short, index + 1
        return (max(ends) if ends else None), cut


def _step(unit: Unit, data: bytes, ends: set[int]) -> tuple[set[int], bool]:
    after, cut = set(), False
    for end in ends:
        for spelling in unit:
            if data.startswith(spelling, end):
                after.add(end + len(spelling))
            elif len(data) - end < len(spelling) and spelling.startswith(data[end:]):
                cut = True
    return after, cut


def forms_of(name: str, value: bytes) -> list[Form]:
    """Give every manner of writing a value; white space around it is none of it."""
    as_given = value.strip()
    bare = as_given.replace(b"\r\n", b"\n")
    if not bare:
        return []
    lines = {line.strip() for line in bare.splitlines()} if b"\n" in bare else set()
    sequences = [_plain(bare)]
    for written in dict.fromkeys((bare, as_given)):  # as bytes, its line ends are what they are
        sequences += [_hexadecimal(written), *_base64(written)]
    sequences += [tuple((bytes([byte]),) for byte in line) for line in sorted(lines) if _is_telling(line)]
    return [Form(name, units, _blocks(units)) for units in sequences]


def _is_telling(line: bytes) -> bool:
    return len(line) >= _LEAST_LINE and len(line.split()) == 1


def _plain(value: bytes) -> tuple[Unit, ...]:
    try:
        return tuple(map(_character, value.decode()))
    except UnicodeDecodeError:
        return tuple((bytes([byte]), *_percent(bytes([byte]))) for byte in value)


@lru_cache(maxsize=4096)
def _character(character: str) -> Unit:
    raw = character.encode()
    points = character.encode("utf-16-be").hex()
    escaped = "".join(f"\\u{points[at : at + 4]}" for at in range(0, len(points), 4))
    upper = escaped.upper().replace("\\U", "\\u")
    written = json.dumps(character)[1:-1]
    others = (written.encode(), escaped.encode(), upper.encode())
    return tuple(dict.fromkeys((raw, *_percent(raw), *others, *_ALSO.get(character, ()))))


def _percent(raw: bytes) -> tuple[bytes, bytes]:
    upper = "".join(f"%{byte:02X}" for byte in raw)
    return upper.encode(), upper.lower().encode()


def _hexadecimal(value: bytes) -> tuple[Unit, ...]:
    first = _pair(value[0])
    return (first[: len(first) // len(_BETWEEN)], *map(_pair, value[1:]))


@lru_cache(maxsize=256)
def _pair(byte: int) -> Unit:
    digits = dict.fromkeys((f"{byte:02x}".encode(), f"{byte:02X}".encode()))
    return tuple(between + written for between in _BETWEEN for written in digits)


def _base64(value: bytes) -> list[tuple[Unit, ...]]:
    """The characters that depend on the value alone, after 0, 1 and 2 bytes of something else."""
    found = []
    for before, first in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(bytes(before) + value)
        sure = text[first : (before + len(value)) * 8 // 6].decode()
        if len(sure) >= _LEAST_BASE64:
            unbroken = _digit(sure[0])[: len(_digit(sure[0])) // len(_BREAKS)]
            found.append((unbroken, *map(_digit, sure[1:])))
    return found


@lru_cache(maxsize=64)
def _digit(character: str) -> Unit:
    digit = character.encode()
    also = {"+": (b"-", *_percent(b"+")), "/": (b"_", *_percent(b"/"), b"\\/")}.get(character, ())
    return tuple(broken + written for broken in _BREAKS for written in (digit, *also))


def _blocks(units: tuple[Unit, ...]) -> tuple[bytes | None, ...]:
    parts = [units[at : at + _BLOCK_UNITS] for at in range(0, len(units), _BLOCK_UNITS)]
    return tuple(_block(part) for part in parts)


def _block(part: tuple[Unit, ...]) -> bytes | None:
    plain = b"".join(unit[0] for unit in part)
    return plain if len(part) == _BLOCK_UNITS and b"\\" not in plain else None
