"""Git's binary patches: base 85 over zlib, the whole content or instructions over the old one."""

import base64
import re
import zlib

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.patch.reading.document import BinaryChange

MAX_CONTENT = 64 * 1024 * 1024
"""Of one binary file: a kilobyte of zlib can claim gigabytes, and the content is held in memory."""
_HEADER = re.compile(rb"(literal|delta) (\d{1,10})\r?\Z")


def read_binary(lines: list[bytes], at: int, budget: int) -> tuple[BinaryChange, int]:
    """Read the instructions after `GIT binary patch`, at most `budget` bytes of them; the way back is skipped.

    Give them and the index of the line after.
    """
    header = _HEADER.match(lines[at]) if at < len(lines) else None
    if header is None:
        raise InvalidRequest(f'line {at + 1} of the patch: "literal SIZE" or "delta SIZE" should follow')
    encoded, after = _take_block(lines, at + 1)
    data = _inflate(encoded, int(header.group(2)), min(budget, MAX_CONTENT), at + 1)
    if after < len(lines) and _HEADER.match(lines[after]):
        _, after = _take_block(lines, after + 1)
    return BinaryChange("delta" if header.group(1) == b"delta" else "literal", data), after


def _take_block(lines: list[bytes], at: int) -> tuple[bytes, int]:
    """Decode lines up to an empty one; each begins with its own length in bytes."""
    parts = []
    while at < len(lines) and (line := lines[at].rstrip(b"\r")):
        parts.append(_decode_line(line, at + 1))
        at += 1
    while at < len(lines) and not lines[at].strip():
        at += 1
    return b"".join(parts), at


def _decode_line(line: bytes, number: int) -> bytes:
    size = _line_size(line[0])
    if size is None or len(line) != 1 + (size + 3) // 4 * 5:
        raise InvalidRequest(f"line {number} of the patch: a line of binary data is damaged")
    try:
        return base64.b85decode(line[1:])[:size]
    except ValueError as wrong:
        raise InvalidRequest(
            f"line {number} of the patch: a line of binary data is damaged", details=str(wrong)
        ) from None


def _line_size(letter: int) -> int | None:
    """A to Z count 1 to 26, a to z go on to 52."""
    if ord("A") <= letter <= ord("Z"):
        return letter - ord("A") + 1
    if ord("a") <= letter <= ord("z"):
        return letter - ord("a") + 27
    return None


def _inflate(encoded: bytes, size: int, limit: int, number: int) -> bytes:
    if size > limit:
        raise InvalidRequest(
            f"line {number} of the patch: binary content of {size:,} bytes is more than the {limit:,} allowed",
            hint="Copy a file as large as this with workspace_sync_push.",
        )
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(encoded, size + 1)
    except zlib.error as wrong:
        raise InvalidRequest(
            f"line {number} of the patch: binary data is damaged", details=str(wrong)
        ) from None
    if len(data) != size or not inflater.eof:
        raise InvalidRequest(f"line {number} of the patch: binary data is not {size} bytes long as it says")
    return data


class DeltaMismatch(Exception):
    """The instructions are damaged, or meant for other content."""


def run_delta(base: bytes, delta: bytes) -> bytes:
    """Build the new content from the old one; raise DeltaMismatch when they do not fit together."""
    try:
        base_size, at = _read_size(delta, 0)
        size, at = _read_size(delta, at)
        if base_size != len(base):
            raise DeltaMismatch(f"it is for a file of {base_size} bytes, this one has {len(base)}")
        if size > MAX_CONTENT:
            raise DeltaMismatch(
                f"the new content would have {size:,} bytes, more than the {MAX_CONTENT:,} allowed"
            )
        content = _run(base, delta, at, size)
    except IndexError:
        raise DeltaMismatch("it is cut short") from None
    if len(content) != size:
        raise DeltaMismatch(f"it makes {len(content)} bytes instead of {size}")
    return content


def _run(base: bytes, delta: bytes, at: int, size: int) -> bytes:
    content = bytearray()
    while at < len(delta):
        command = delta[at]
        at += 1
        if command & 0x80:
            start, length, at = _read_copy(delta, at, command)
            piece = base[start : start + length]
        elif command:
            length, piece = command, delta[at : at + command]
            at += command
        else:
            raise DeltaMismatch("it has an unknown instruction")
        if len(piece) != length or len(content) + length > size:
            raise DeltaMismatch("an instruction reaches past the end")
        content += piece
    return bytes(content)


def _read_copy(delta: bytes, at: int, command: int) -> tuple[int, int, int]:
    """Low four bits say which bytes of the start follow, the next three which of the length."""
    values = []
    for bits in ((0x01, 0x02, 0x04, 0x08), (0x10, 0x20, 0x40)):
        value = 0
        for place, bit in enumerate(bits):
            if command & bit:
                value |= delta[at] << (8 * place)
                at += 1
        values.append(value)
    start, length = values
    return start, length or 0x10000, at


def _read_size(delta: bytes, at: int) -> tuple[int, int]:
    size = shift = 0
    while True:
        byte = delta[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return size, at
        if shift > 63:
            raise DeltaMismatch("a size in it is beyond measure")
