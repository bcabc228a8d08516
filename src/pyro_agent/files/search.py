"""Verb `tree.search`: lines that a regular expression matches, within a time, a number of matches and a size of file."""

from __future__ import annotations

import os
import re
import signal
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

from pyro_agent.base.loop import Timer
from pyro_agent.disk import places
from pyro_agent.files.globs import matcher
from pyro_agent.files.walking import Walk, open_file
from pyro_agent.requests.delegated import Work
from pyro_agent.workers.desk import Desk
from pyro_wire import messages
from pyro_wire.faults import Fault, FaultError
from pyro_wire.messages import Message

_USUAL_MS = 10_000
_LONGEST_MS = 600_000
# A file with a NUL byte here is binary, as git sees it.
_LOOKED_AT = 8000
_USUAL_FILE = 16 << 20
_LARGEST_FILE = 256 << 20
# What is told of a line; a minified file has one of a megabyte.
_LINE = 2000
# After its time a worker ends by itself; one that is stuck is ended this much later.
_GRACE_S = 3.0
# With one of these, a pattern may match a line for itself and not the same line within its file.
_NEEDS_LINES = re.compile(r"\(\?[!>]|\(\?<!|[*+?}]\+|\\[AZ]|\(\?-")


class _TimeIsUp(Exception):
    pass


class _Clock:
    """Ends a search where it is, a single match of a pattern included, but never in the middle of a told line."""

    def __init__(self) -> None:
        self._telling = False
        self._up = False

    def start(self, milliseconds: int) -> None:
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, milliseconds / 1000)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def tell(self, desk: Desk, line: Message) -> None:
        self._telling = True
        desk.put_line(line)
        self._telling = False
        if self._up:
            raise _TimeIsUp

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if not self._telling:
            raise _TimeIsUp
        self._up = True


@dataclass(slots=True)
class _Counts:
    matches: int = 0
    files: int = 0
    searched: int = 0
    skipped_binary: int = 0
    skipped_large: int = 0


class SearchTree(Work):
    """The agent's side: it ends a worker that does not end by itself."""

    _timer: Timer | None = None

    def start(self, message: Message) -> None:
        """Hand it over and keep an eye on the time."""
        super().start(message)
        seconds = _milliseconds(message) / 1000 + _GRACE_S
        self._timer = self.machine.loop.after(seconds, lambda: self.guarded(self._on_timeout))

    def release(self) -> None:
        """Call the deadline off."""
        if self._timer is not None:
            self._timer.cancel()
        super().release()

    def _on_timeout(self) -> None:
        hint = "use a pattern without nested repetition, or a smaller path"
        self.fail(Fault("limit_reached", "the search took too long", None, hint))


def _milliseconds(message: Message) -> int:
    return messages.optional_integer(message, "timeout_ms", low=1, high=_LONGEST_MS) or _USUAL_MS


def search_tree(message: Message, desk: Desk) -> Message:
    """`tree.search`: see the module; the job of a worker.

    {path, pattern, glob, ignore_case=false, context=0, limit=1000, max_file_bytes=16 MiB, timeout_ms=10000,
    ignore=[".git"]} → lines {path, line, text, before, after}.
    """
    search = _Search.from_message(message)
    counts, clock = _Counts(), _Clock()
    more = timed_out = False
    try:
        clock.start(_milliseconds(message))
        more = not search.run(counts, desk, clock)
        clock.stop()
    except _TimeIsUp:
        more = timed_out = True
    finally:
        clock.stop()
    return {
        "matches": counts.matches,
        "files": counts.files,
        "searched": counts.searched,
        "skipped_binary": counts.skipped_binary,
        "skipped_large": counts.skipped_large,
        "more": more,
        "timed_out": timed_out,
    }


@dataclass(frozen=True, slots=True)
class _Search:
    walk: Walk
    lines: Lines
    fits: Callable[[str], bool] | None
    context: int
    limit: int
    max_file_bytes: int

    @classmethod
    def from_message(cls, message: Message) -> _Search:
        glob = messages.optional_text(message, "glob")
        ignored = places.ignored(message, (".git",))
        largest = messages.optional_integer(message, "max_file_bytes", low=0, high=_LARGEST_FILE)
        return cls(
            walk=Walk(messages.text(message, "path", default=""), ignored=ignored),
            lines=Lines(
                messages.text(message, "pattern"), messages.flag(message, "ignore_case", default=False)
            ),
            fits=None if glob is None else matcher(glob),
            context=messages.optional_integer(message, "context", low=0, high=50) or 0,
            limit=messages.optional_integer(message, "limit", low=1, high=1_000_000) or 1000,
            max_file_bytes=_USUAL_FILE if largest is None else largest,
        )

    def run(self, counts: _Counts, desk: Desk, clock: _Clock) -> bool:
        """Search file after file; tell whether there was nothing more to find."""
        for path, file, size in self._files():
            try:
                text = self._text(file, size, counts)
            finally:
                os.close(file)
            found = False
            for number, here in self.lines.matching(text) if text else ():
                if counts.matches == self.limit:
                    return False
                clock.tell(desk, {"path": path, "line": number + 1, **here.told(self.context)})
                counts.matches += 1
                found = True
            counts.files += found
        return True

    def _files(self) -> Iterator[tuple[str, int, int]]:
        """Open the files to look at: those below a directory, or the one that the path names."""
        for entry in self.walk:
            if stat.S_ISREG(entry.status.st_mode) and self._wants(entry.path):
                try:
                    file = open_file(entry)
                except OSError:
                    continue  # gone since
                yield entry.path, file, entry.status.st_size

    def _wants(self, path: str) -> bool:
        return self.fits is None or not path or self.fits(path)

    def _text(self, file: int, size: int, counts: _Counts) -> str:
        if size > self.max_file_bytes:
            counts.skipped_large += 1
            return ""
        data = os.read(file, min(size, self.max_file_bytes) + 1)
        if b"\0" in data[:_LOOKED_AT]:
            counts.skipped_binary += 1
            return ""
        counts.searched += 1
        # Lines end in either way; a pattern's `$` means both.
        return data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Here:
    """A line of a text, by where it starts and ends."""

    text: str
    start: int
    end: int

    def told(self, context: int) -> dict[str, object]:
        """Return the line, and as many around it."""
        return {
            "text": _cut(self.text[self.start : self.end]),
            "before": self._before(context),
            "after": self._after(context),
        }

    def _before(self, count: int) -> list[str]:
        lines: list[str] = []
        start = self.start
        while start > 0 and len(lines) < count:
            end = start - 1
            start = self.text.rfind("\n", 0, end) + 1
            lines.insert(0, _cut(self.text[start:end]))
        return lines

    def _after(self, count: int) -> list[str]:
        lines: list[str] = []
        start = self.end + 1
        while start < len(self.text) and len(lines) < count:
            end = _line_end(self.text, start)
            lines.append(_cut(self.text[start:end]))
            start = end + 1
        return lines


class Lines:
    """A pattern, applied to lines; where it can be, to many at a time."""

    def __init__(self, pattern: str, ignore_case: bool) -> None:
        """Compile it; raise FaultError for what is no regular expression."""
        flags = re.IGNORECASE if ignore_case else re.NOFLAG
        try:
            self._one = re.compile(pattern, flags)
            needs_lines = _NEEDS_LINES.search(pattern) is not None
            self._many = None if needs_lines else re.compile(pattern, flags | re.MULTILINE)
        except (re.error, OverflowError, RecursionError) as error:
            raise FaultError("invalid_request", f"pattern: {error}", hint="Python's re syntax") from error

    def matching(self, text: str) -> Iterator[tuple[int, Here]]:
        """Give the numbers (from 0) and places of the lines that match."""
        number = at = 0
        while (start := self._candidate(text, at)) is not None:
            number += text.count("\n", at, start)
            end = _line_end(text, start)
            if self._one.search(text[start:end]):
                yield number, Here(text, start, end)
            number, at = number + 1, end + 1

    def _candidate(self, text: str, at: int) -> int | None:
        """Return where the next line begins that may match."""
        if at >= len(text):
            return None
        if self._many is None:
            return at
        found = self._many.search(text, at)
        if found is None or (found.start() == len(text) and text.endswith("\n")):
            return None
        return text.rfind("\n", at, found.start()) + 1 or at


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _cut(line: str) -> str:
    return line if len(line) <= _LINE else line[:_LINE] + "…"
