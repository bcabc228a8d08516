"""What the host is told of an exception that nobody foresaw."""

from __future__ import annotations

import traceback

from pyro_wire.faults import Fault


def unexpected(error: BaseException) -> Fault:
    """Describe an exception nobody foresaw."""
    lines = traceback.format_exception(error)
    return Fault("guest_failed", f"the agent failed: {error or type(error).__name__}", "".join(lines))
