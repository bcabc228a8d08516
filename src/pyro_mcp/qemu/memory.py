"""Guest memory that many machines share and none can write: a sealed memory file.

QEMU 7.2 opens its memory file read-write even for a private mapping, so a template on disk would be writable by every
machine made from it. A sealed memfd is not: writes and shared mappings get EPERM, private ones work. Machines of one
template share the pages of one memfd for as long as some keeper holds it; the next keeper finds it by the note below.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from pyro_mcp.errors import LimitReached
from pyro_mcp.host.processes import identify

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_COPY_BLOCK = 8 << 20
_PAGE = 4096


def empty_memory(name: str, size: int) -> int:
    """Make a memory file that a machine may write: for the one machine that becomes a template."""
    descriptor = os.memfd_create(f"pyro-{name}", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    return descriptor


def save_memory(memory: int, path: Path) -> None:
    """Write a stopped machine's memory to a sparse file: pages of zeroes become holes."""
    size = os.fstat(memory).st_size
    with path.open("xb") as file:
        os.ftruncate(file.fileno(), size)
        for start, end in _segments(memory, size):
            _copy_pages(memory, file.fileno(), start, end)
        file.flush()
        os.fsync(file.fileno())


def _copy_pages(source: int, target: int, start: int, end: int) -> None:
    zeroes = bytes(_PAGE)
    for offset in range(start, end, _COPY_BLOCK):
        block = memoryview(os.pread(source, min(_COPY_BLOCK, end - offset), offset))
        run_start: int | None = None
        for page in range(0, len(block) + 1, _PAGE):
            filled = page < len(block) and block[page : page + _PAGE] != zeroes[: len(block) - page]
            if filled and run_start is None:
                run_start = page
            elif not filled and run_start is not None:
                os.pwrite(target, block[run_start:page], offset + run_start)
                run_start = None


@dataclass(slots=True)
class SharedMemory:
    """A template's memory: `descriptor` may be mapped privately at once, but nobody may run on it before `finish`."""

    descriptor: int
    _copying: Thread | None = None
    _failure: OSError | None = None

    def finish(self) -> None:
        """Return once all pages are in and sealed; raises LimitReached when there was no room for them."""
        if self._copying is not None:
            self._copying.join()
            self._copying = None
        if self._failure is not None:
            details = str(self._failure)
            raise LimitReached("there is no memory for another machine", details=details) from self._failure

    def copy_from(self, image: Path) -> None:
        """Start to copy the frozen pages; QEMU starts meanwhile."""
        self._copying = Thread(target=self._copy, args=(image,))
        self._copying.start()

    def _copy(self, image: Path) -> None:
        try:
            _copy_segments(image, self.descriptor)
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, _SEALS)
        except OSError as error:
            self._failure = error


@contextmanager
def shared_memory(name: str, image: Path, notes: Path) -> Iterator[SharedMemory]:
    """Hold a sealed memory file with the content of `image`: another keeper's where one lives, else a copy being made.

    `notes` is the directory where keepers of this template leave word of what they hold.
    """
    size = image.stat().st_size
    living = list(_noted(notes))  # all of them: what dead keepers left goes now
    held = next((found for note in living if (found := _adopt(name, *note, size)) is not None), None)
    memory = SharedMemory(empty_memory(name, size) if held is None else held)
    try:
        if held is None:
            memory.copy_from(image)
        yield memory
    finally:
        with suppress(LimitReached):
            memory.finish()
        os.close(memory.descriptor)


@contextmanager
def noted(notes: Path, memory: SharedMemory) -> Iterator[None]:
    """Let keepers that start during the block find the template's memory here."""
    note = notes / f"{os.getpid()}-{memory.descriptor}"
    _leave(note)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)
        with suppress(OSError):  # there are others
            notes.rmdir()


def _leave(note: Path) -> None:
    while True:
        note.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # the last one before us has just taken the directory with it
            note.touch()
            return


def forget_dead_holders(templates: Path) -> None:
    """Remove the notes of keepers that were killed: those of a template that nobody restores again would stay."""
    for notes in templates.glob("*"):
        for _ in _noted(notes):
            pass
        with suppress(OSError):  # somebody lives
            notes.rmdir()


def _noted(notes: Path) -> Iterator[tuple[int, int]]:
    for note in notes.glob("*-*"):
        pid, _, descriptor = note.name.partition("-")
        if pid.isdigit() and descriptor.isdigit():
            if identify(int(pid)) is None:
                note.unlink(missing_ok=True)
                continue
            yield int(pid), int(descriptor)


def _adopt(name: str, pid: int, descriptor: int, size: int) -> int | None:
    path = f"/proc/{pid}/fd/{descriptor}"
    try:
        if not str(Path(path).readlink()).startswith(f"/memfd:pyro-{name} "):
            return None
        held = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    if fcntl.fcntl(held, fcntl.F_GET_SEALS) & _SEALS == _SEALS and os.fstat(held).st_size == size:
        return held
    os.close(held)
    return None


def _copy_segments(image: Path, target: int) -> None:
    with image.open("rb") as source:
        for start, end in _segments(source.fileno(), image.stat().st_size):
            os.lseek(target, start, os.SEEK_SET)
            done = start
            while done < end:
                copied = os.sendfile(target, source.fileno(), done, end - done)
                if copied == 0:
                    raise OSError(f"{image} was cut while it was read")
                done += copied


def _segments(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a sparse file that hold data."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end
