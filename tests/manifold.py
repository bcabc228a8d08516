"""Archives with very many entries, written faster than tarfile would, and what reading one costs."""

import gzip
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

_DIGITS = 8
_CHUNK = 10_000


def archive_of(path: Path, entries: int, *, folder: int = 1000) -> None:
    """Write a compressed archive of empty files, so many to a folder: ten bytes for each."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        for begin in range(0, entries, _CHUNK):
            numbers = range(begin, min(begin + _CHUNK, entries))
            file.write(b"".join(_header(number // folder, number) for number in numbers))
        file.write(bytes(1024))


def _header(folder: int, number: int) -> bytes:
    """The same header again and again: but for the digits of its name, and those in its checksum."""
    name = b"%0*d/%0*d" % (_DIGITS, folder, _DIGITS, number)
    total = _BASE_SUM + sum(name) - _BASE_NAME
    return name + _BASE[len(name) : 148] + b"%06o\0 " % total + _BASE[156:]


_BASE = tarfile.TarInfo("0" * _DIGITS + "/" + "0" * _DIGITS).tobuf(tarfile.USTAR_FORMAT)
_BASE_NAME = sum(_BASE[: 2 * _DIGITS + 1])
_BASE_SUM = sum(_BASE[:148]) + 8 * ord(" ") + sum(_BASE[156:])


@dataclass(frozen=True)
class Ran:
    """How a program ended, and the most memory that it took (a machine that goes on is none of its own)."""

    status: int
    out: str
    err: str
    peak_mib: int


_WATCH = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(done.returncode)
"""


def ran(*words: str) -> Ran:
    """Run a program; tell how much memory it took."""
    done = subprocess.run([sys.executable, "-c", _WATCH, *words], capture_output=True, text=True, check=False)
    err, _, peak = done.stderr.rstrip("\n").rpartition("\n")
    return Ran(done.returncode, done.stdout, err, int(peak))
