"""Keep the whole output of every command in files, and give the part that is asked for: nothing is lost, every answer is bounded.

A file may grow while it is read; an answer is as of its reading. What a command wrote is bytes: text is made of it only
where people and models read it, and then never from half a character.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pyro_mcp.errors import LimitReached, NotFound
from pyro_mcp.host.room import stored_bytes
from pyro_mcp.models.run import StreamName
from pyro_mcp.workspaces.registry.names import looks_like_id, new_id

if TYPE_CHECKING:
    from pyro_mcp.workspaces.outputs.search import Found

STREAMS: tuple[StreamName, ...] = ("stdout", "stderr")
_CHUNK = 1 << 20
# The lines of a longer gap are not counted: reading gigabytes to say how many lines were cut is not worth it.
_LARGEST_COUNTED = 64 << 20
_LONGEST_CHARACTER = 4
# The end of an output says how it went, its beginning what it was: the end gets more of the budget.
_HEAD_SHARE = 0.4


@dataclass(frozen=True)
class OutputSlice:
    """Bytes `offset` to `next_offset` of an output that had `size` bytes when it was read."""

    data: bytes
    offset: int
    next_offset: int
    size: int


@dataclass(frozen=True)
class Shortened:
    """A text within a budget. When something is cut, a line in the text says so at the place."""

    text: str
    size: int
    cut_bytes: int = 0

    @property
    def truncated(self) -> bool:
        """Whether anything is missing."""
        return self.cut_bytes > 0


class OutputStore:
    """The outputs of one workspace: a directory each, with a file per stream."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def new(self) -> tuple[str, Path]:
        """Make room for an output; gives its id, and the directory where `stdout` and `stderr` are to be written."""
        output_id = new_id("out")
        directory = self._directory / output_id
        try:
            directory.mkdir(mode=0o700, parents=True)
            for stream in STREAMS:
                (directory / stream).touch(mode=0o600)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise LimitReached(
                "the host's disk is full: nothing that a command writes could be kept",
                details=str(error),
                hint="Free some disk space (pyro prune, or delete workspaces).",
            ) from error
        return output_id, directory

    def path(self, output_id: str, stream: StreamName) -> Path:
        """Give the file of a stream. Raises NotFound."""
        path = self._directory / output_id / stream
        if not looks_like_id(output_id) or not path.is_file():
            raise NotFound(
                f"there is no output {output_id[:80]!r}",
                hint="Take an output_id from the answer of an exec of this workspace.",
            )
        return path

    def size(self, output_id: str, stream: StreamName) -> int:
        """Tell how many bytes a stream has so far."""
        return self.path(output_id, stream).stat().st_size

    def read(self, output_id: str, stream: StreamName, *, offset: int = 0, limit: int = 65536) -> OutputSlice:
        """Read from a byte offset (below 0: from the end); the slice ends with a whole character where it can."""
        with self._open(output_id, stream) as (file, size):
            start = max(0, size + offset) if offset < 0 else min(offset, size)
            file.seek(start)
            data = file.read(min(limit, size - start))
        if start + len(data) < size:
            data = whole_characters(data) or data
        return OutputSlice(data, start, start + len(data), size)

    def tail(self, output_id: str, stream: StreamName, *, lines: int, limit: int = 65536) -> OutputSlice:
        """Read the last lines, as many of them as fit into `limit` bytes, and at least the end of the last one."""
        with self._open(output_id, stream) as (file, size):
            start = max(0, size - limit)
            file.seek(start)
            data = file.read(size - start)
        keep = last_lines(data, lines, from_line_start=start == 0)
        return OutputSlice(data[keep:], start + keep, start + len(data), size)

    def grep(
        self, output_id: str, stream: StreamName, pattern: str, *, limit: int = 100, from_end: bool = False
    ) -> Found:
        """Find the lines that match a regular expression, in bounded time whatever the expression (search.py)."""
        from pyro_mcp.workspaces.outputs.search import search

        return search(self.path(output_id, stream), pattern, limit, from_end=from_end)

    def shortened(self, output_id: str, stream: StreamName, max_chars: int) -> Shortened:
        """Give the whole text if it fits, else its beginning and its end, cut between lines where there are any."""
        with self._open(output_id, stream) as (file, size):
            return _shorten(file, size, max_chars)

    def both(self, output_id: str, max_chars: int) -> dict[StreamName, Shortened]:
        """Give both streams within one budget; what one does not need is the other's."""
        half = max_chars // 2
        sizes = {stream: self.size(output_id, stream) for stream in STREAMS}
        spare = max(half - min(sizes.values()), 0)
        short = min(STREAMS, key=lambda stream: sizes[stream])
        return {
            stream: self.shortened(output_id, stream, half if stream == short else half + spare)
            for stream in STREAMS
        }

    def total_size(self) -> int:
        """Tell how much disk all outputs take."""
        return sum(map(stored_bytes, self._directory.glob("*/std*")))

    def remove_all(self) -> None:
        """Remove every output."""
        shutil.rmtree(self._directory, ignore_errors=True)

    @contextmanager
    def _open(self, output_id: str, stream: StreamName) -> Iterator[tuple[BinaryIO, int]]:
        with self.path(output_id, stream).open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size


def shorten(data: bytes, max_chars: int) -> Shortened:
    """Bring an output that is in memory within a budget, as OutputStore.shortened() does."""
    from io import BytesIO

    return _shorten(BytesIO(data), len(data), max_chars)


def _shorten(file: BinaryIO, size: int, max_chars: int) -> Shortened:
    if size <= max_chars * _LONGEST_CHARACTER:
        text = file.read(size).decode(errors="replace")
        if len(text) <= max_chars:
            return Shortened(text, size)
        file.seek(0)
    room = max(max_chars - 100, 0)  # for the line that says what was cut
    head_chars = int(room * _HEAD_SHARE)
    head = _head(file.read(head_chars * _LONGEST_CHARACTER), head_chars)
    tail_chars = room - head_chars
    file.seek(max(len(head), size - tail_chars * _LONGEST_CHARACTER))
    tail = _tail(file.read(tail_chars * _LONGEST_CHARACTER), tail_chars)
    cut = size - len(head) - len(tail)
    before = head.decode(errors="replace")
    parted = "" if not before or before.endswith("\n") else "\n"
    mark = f"[... {_amount(file, len(head), cut)} cut ...]\n"
    return Shortened(before + parted + mark + tail.decode(errors="replace"), size, cut)


def _head(data: bytes, chars: int) -> bytes:
    """The first whole lines within so many characters; when the first line is longer, the beginning of it."""
    kept = _first_characters(data, chars)
    end = kept.rfind(b"\n") + 1
    return kept[:end] if end > len(kept) // 2 else kept


def _tail(data: bytes, chars: int) -> bytes:
    """The last whole lines within so many characters; when the last line is longer, the end of it."""
    text = data.decode(errors="surrogateescape")
    kept = text[max(0, len(text) - chars) :].encode(errors="surrogateescape")
    kept = kept.lstrip(bytes(range(0x80, 0xC0))) if len(kept) < len(data) and kept[:3].strip() else kept
    start = kept.find(b"\n") + 1
    if len(kept) == len(data) or start == 0 or start > len(kept) // 2:
        return kept
    return kept[start:]


def _first_characters(data: bytes, chars: int) -> bytes:
    text = whole_characters(data).decode(errors="surrogateescape")
    return text[:chars].encode(errors="surrogateescape")


def whole_characters(data: bytes) -> bytes:
    """Take half a character off the end; bytes that are no UTF-8 anyway stay."""
    for back in range(1, min(_LONGEST_CHARACTER, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            return data
        if byte >= 0xC0:
            wanted = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if wanted > back else data
    return data


def last_lines(data: bytes, lines: int, *, from_line_start: bool) -> int:
    """Where the last so many lines begin; the first, cut one is left out unless it is all there is."""
    at = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(lines):
        found = data.rfind(b"\n", 0, at)
        if found < 0:
            first = data.find(b"\n") + 1
            return 0 if from_line_start or first in (0, len(data)) else first
        at = found
    return at + 1


def _amount(file: BinaryIO, start: int, size: int) -> str:
    if size > _LARGEST_COUNTED:
        return f"{size:,} bytes"
    file.seek(start)
    lines, left = 0, size
    while left > 0 and (chunk := file.read(min(_CHUNK, left))):
        lines += chunk.count(b"\n")
        left -= len(chunk)
    return f"{lines:,} lines ({size:,} bytes)" if lines else f"{size:,} bytes"
