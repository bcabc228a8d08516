"""Remember what was found out about this host, for as long as what it was asked of stays the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.locks import exclusive

# Facts are JSON that this module's callers wrote and read back: each checks its own shape.
Facts = dict[str, Any]


def remembered(file: Path, identity: str, ask: Callable[[], Facts]) -> Facts:
    """Give the facts kept in `file` under this identity, or ask anew and keep the answer.

    One process asks and the others wait for its answer: a measure taken twice is not always the same.
    """
    known = recalled(file, identity)
    if known is not None:
        return known
    with ExitStack() as alone:
        with suppress(HostUnfit):  # a cache that cannot be written
            alone.enter_context(exclusive(file.with_name(f"{file.name}.lock"), what="a look at this host"))
        known = recalled(file, identity)
        if known is not None:
            return known
        facts = ask()
        keep(file, identity, facts)
        return facts


def recalled(file: Path, identity: str) -> Facts | None:
    """Give the facts kept in `file` under this identity; None when there are none."""
    try:
        stored = json.loads(file.read_text())
        return dict(stored["facts"]) if stored["identity"] == identity else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(file: Path, identity: str, facts: Facts) -> None:
    """Keep facts for whoever asks under this identity; a cache that cannot be written is asked again next time."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"identity": identity, "facts": facts}))
        temporary.replace(file)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def boot_id() -> str:
    """Name this boot of the host: what depends on the kernel or the hardware is asked again after the next."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def file_identity(path: str) -> str:
    """Name a file as it is now; empty when there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return ""
    return f"{path}:{found.st_size}:{found.st_mtime_ns}:{found.st_ino}"
