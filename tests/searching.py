"""Look for secret values in whatever pyro said or wrote, in each manner in which a program may have written them."""

import base64
import dataclasses
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

_LEAST_LINE = 16


def spellings(value: bytes) -> dict[str, bytes]:
    """The same value as it is, percent-encoded, in hexadecimal, JSON, and in base64 at each of its three places."""
    core = {f"base64, {n} before": base64.b64encode(b"x" * n + value)[4:-4] for n in range(3)}
    quoted = quote(value, safe="").encode()
    telling = [line for line in value.splitlines() if len(line) >= _LEAST_LINE and b" " not in line]
    lines = {f"line {number}": line for number, line in enumerate(telling)}
    return {
        "as it is": value,
        "percent": quoted,
        "percent, lower": quoted.lower(),
        "JSON": json.dumps(value.decode())[1:-1].encode(),
        "hexadecimal": value.hex().encode(),
        "HEXADECIMAL": value.hex().upper().encode(),
        **core,
        **{f"URL-safe {name}": form.translate(bytes.maketrans(b"+/", b"-_")) for name, form in core.items()},
        **(lines if b"\n" in value else {}),
    }


class Search:
    """For some secrets."""

    def __init__(self, values: Mapping[str, bytes]) -> None:
        self._forms = {
            (name, how): form
            for name, value in values.items()
            for how, form in spellings(value.strip()).items()
        }

    def found_in(self, content: bytes) -> list[tuple[str, str]]:
        """Which secrets, and how they are written there; a screen breaks them at its edge."""
        unbroken = content.replace(b"\n", b"")
        return [which for which, form in self._forms.items() if form in content or form in unbroken]

    def found_in_files(self, files: Iterable[Path]) -> dict[str, list[tuple[str, str]]]:
        """The same, of each file that has any."""
        found = {str(path): self.found_in(_data(path)) for path in files if path.is_file()}
        return {path: which for path, which in found.items() if which}


def answered(value: object) -> bytes:
    """Everything that an answer tells, one thing a line."""
    return b"\n".join(_leaves(value))


def _leaves(value: object) -> Iterator[bytes]:
    if dataclasses.is_dataclass(value):
        yield from (leaf for each in dataclasses.fields(value) for leaf in _leaves(getattr(value, each.name)))
    elif isinstance(value, Mapping):
        yield from (leaf for pair in value.items() for each in pair for leaf in _leaves(each))
    elif isinstance(value, str | bytes):
        yield value if isinstance(value, bytes) else value.encode(errors="surrogatepass")
    elif isinstance(value, Iterable):
        yield from (leaf for each in value for leaf in _leaves(each))
    else:
        yield str(value).encode()


def written_below(*places: Path, since: float = 0.0, disks: bool = False) -> Iterator[Path]:
    """Every file below these directories that changed since then, but the secret stores; guests' own disks where wanted."""
    for directory, folders, names in (found for place in places for found in os.walk(place)):
        folders[:] = [name for name in folders if name != "secrets"]
        for path in (Path(directory, name) for name in names if disks or not name.endswith(".qcow2")):
            if path.lstat().st_ctime >= since:
                yield path


def _data(path: Path) -> bytes:
    """What a file holds, without the gigabytes of nothing in a sparse one."""
    if ".sqlite" in path.name:  # whoever closes such a file drops the locks that his own process has on it
        return subprocess.run(["cat", path], capture_output=True, check=True).stdout
    found, at = bytearray(), 0
    with path.open("rb") as file:
        while True:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                return bytes(found)
            end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            found += os.pread(file.fileno(), end - at, at)
            at = end
