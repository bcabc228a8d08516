"""What is known of a workspace's shells after they, or their keeper, have ended: a small file each.

Names are never used twice: whoever still thinks of an ended shell must not type into another.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"sh-([1-9][0-9]{0,8})\.json")
_KEPT = 100


def new_record(directory: Path) -> str:
    """Give a name that no shell of the workspace had before, and note that it is in use."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = _numbers(directory)
    for old in numbers[:-_KEPT]:
        with suppress(OSError):
            (directory / f"sh-{old}.json").unlink()
    number = numbers[-1] if numbers else 0
    while True:
        number += 1
        with suppress(FileExistsError):
            file = os.open(directory / f"sh-{number}.json", os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            os.close(file)
            return f"sh-{number}"


def note_end(directory: Path, shell_id: str, reason: str) -> None:
    """Note why a shell has ended."""
    path = directory / f"{shell_id}.json"
    unfinished = path.with_suffix(".new")
    with suppress(OSError):  # the workspace is being deleted, or the host's disk is full
        unfinished.write_text(json.dumps({"ended": reason}))
        unfinished.replace(path)


def known_end(directory: Path, shell_id: str) -> str | None:
    """Tell why a shell ended: its words, "" where nobody lived to note them; None where there was no such shell."""
    try:
        text = (directory / f"{shell_id}.json").read_text()
    except OSError:
        return None
    try:
        ended = json.loads(text or "{}").get("ended", "")
    except (ValueError, AttributeError):
        return ""
    return str(ended)


def _numbers(directory: Path) -> list[int]:
    found = (_NAME.fullmatch(path.name) for path in directory.iterdir())
    return sorted(int(match[1]) for match in found if match)
