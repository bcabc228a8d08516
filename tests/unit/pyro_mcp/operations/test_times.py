from datetime import UTC, datetime, timedelta

import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.times import moment


@pytest.mark.parametrize(
    ("age", "length"), [("15m", timedelta(minutes=15)), ("2h", timedelta(hours=2)), ("3d", timedelta(days=3))]
)
def test_an_age_is_counted_back_from_now(age: str, length: timedelta) -> None:
    found = moment(age)
    assert found is not None
    assert abs(datetime.now(UTC) - length - found) < timedelta(seconds=5)


def test_a_time_is_read_as_utc_unless_it_says_otherwise() -> None:
    assert moment("2026-01-31T12:00:00Z") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert moment("2026-01-31T12:00:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert moment(datetime(2026, 1, 31)) == datetime(2026, 1, 31, tzinfo=UTC)
    assert moment(None) is None


def test_what_is_no_time_is_refused_with_examples() -> None:
    with pytest.raises(InvalidRequest, match="yesterday") as refused:
        moment("yesterday")
    assert "15m" in (refused.value.hint or "")
