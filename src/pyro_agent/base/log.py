"""Say a few words on the serial console, for the log of a machine that failed."""

from __future__ import annotations

import os
import time

# A serial line under emulation costs a trap per character, and the host keeps what it prints: both are bounded.
_LINE = 300
_LINES = 300
_descriptor: int | None = None
_said = 0


def open_console(path: str = "/dev/console") -> None:
    """Log to this device from now on; without it, lines are dropped."""
    global _descriptor
    try:
        _descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        _descriptor = None


def say(line: str) -> None:
    """Print one line; a full or missing console loses it, and after 300 lines there is silence."""
    global _said
    if _descriptor is None or _said >= _LINES:
        return
    _said += 1
    text = line if _said < _LINES else "the agent says no more"
    plain = text.replace("\n", " | ")[:_LINE]
    try:
        os.write(_descriptor, f"agent {time.monotonic():.3f} {plain}\r\n".encode("utf-8", "backslashreplace"))
    except OSError:
        return
