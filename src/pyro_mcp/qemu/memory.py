"""Guest memory that many machines share and none can write: a sealed memory file.

QEMU 7.2 opens its memory file read-write even for a private mapping, so a template on disk would be writable by every
machine made from it. A sealed memfd is not: writes and shared mappings get EPERM, private ones work. Machines of one
template share the pages of one memfd for as long as some keeper holds it; the next keeper finds it by the note below.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from pyro_mcp.errors import LimitReached

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


def shared_memory(name: str, image: Path, notes: Path) -> int:
    """Give a sealed memory file with the content of `image`: another keeper's where one lives, else a fresh copy.

    `notes` is the directory where keepers of this template leave word of what they hold.
    """
    size = image.stat().st_size
    for pid, descriptor in _noted(notes):
        held = _adopt(name, pid, descriptor, size)
        if held is not None:
            return held
    return _copied(name, image, size)


def leave_note(notes: Path, descriptor: int) -> Path:
    """Say that this process holds the template's memory; the caller removes the note when it ends."""
    notes.mkdir(parents=True, exist_ok=True)
    note = notes / f"{os.getpid()}-{descriptor}"
    note.touch()
    return note


def _noted(notes: Path) -> Iterator[tuple[int, int]]:
    for note in notes.glob("*-*"):
        pid, _, descriptor = note.name.partition("-")
        if pid.isdigit() and descriptor.isdigit():
            if not Path("/proc", pid).exists():
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


def _copied(name: str, image: Path, size: int) -> int:
    target = empty_memory(name, size)
    try:
        with image.open("rb") as source:
            for start, end in _segments(source.fileno(), size):
                os.lseek(target, start, os.SEEK_SET)
                while start < end:
                    copied = os.sendfile(target, source.fileno(), start, end - start)
                    if copied == 0:
                        break
                    start += copied
        fcntl.fcntl(target, fcntl.F_ADD_SEALS, _SEALS)
    except OSError as error:
        os.close(target)
        raise LimitReached("there is no memory for another machine", details=str(error)) from error
    return target


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
