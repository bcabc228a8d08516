"""Times as the registry keeps them (milliseconds since the epoch) and as everybody else sees them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Tell the time as the registry keeps it."""
    return time.time_ns() // 1_000_000


def from_ms(milliseconds: int) -> datetime:
    """Give a kept time as a UTC datetime."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """Give a moment as the registry keeps it."""
    return round(moment.timestamp() * 1000)
