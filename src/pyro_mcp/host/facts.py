"""Remember what was found out about this host, for as long as what it was asked of stays the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Facts are JSON that this module's callers wrote and read back: each checks its own shape.
Facts = dict[str, Any]


def remembered(file: Path, identity: str, ask: Callable[[], Facts]) -> Facts:
    """Give the facts kept in `file` under this identity, or ask anew and keep the answer."""
    try:
        stored = json.loads(file.read_text())
        if stored["identity"] == identity:
            return dict(stored["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    facts = ask()
    _keep(file, {"identity": identity, "facts": facts})
    return facts


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


def _keep(file: Path, content: Facts) -> None:
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(content))
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)  # a read-only or full cache: asked again next time
