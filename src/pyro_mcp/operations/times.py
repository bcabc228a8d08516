"""Read a point in time as people write it."""

import re
from datetime import UTC, datetime, timedelta

from pyro_mcp.errors import InvalidRequest

_AGE = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(given: datetime | str | None) -> datetime | None:
    """Turn an age (`15m`) or a time (RFC 3339; UTC when it names no zone) into a time."""
    if given is None:
        return None
    found = given if isinstance(given, datetime) else _read(given)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _read(text: str) -> datetime:
    if age := _AGE.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(
            f"since {text[:60]!r} is no point in time",
            hint="Give an age such as 15m, 2h or 3d, or a time such as 2026-01-31T12:00:00Z.",
        ) from None
