"""Snapshots as people read them: a tree with ages."""

from datetime import UTC, datetime, timedelta

import pytest

from pyro_mcp.cli.render.workspace import snapshots
from pyro_mcp.models.workspace import SnapshotInfo


def snapshot(name: str, parent: str | None, age: timedelta) -> SnapshotInfo:
    """A snapshot that was taken so long ago."""
    return SnapshotInfo(name=name, parent=parent, created_at=datetime.now(UTC) - age, size_bytes=4096)


def test_snapshots_stand_below_what_they_grew_from() -> None:
    day = timedelta(days=1)
    found = [
        snapshot("baseline", None, 3 * day),
        snapshot("one", "baseline", 2 * day),
        snapshot("other", "baseline", day),
        snapshot("two", "one", timedelta(hours=1)),
    ]
    lines = snapshots(found).splitlines()
    assert [line.partition("  20")[0].rstrip() for line in lines[1:]] == [
        "baseline",
        "  one",
        "    two",
        "  other",
    ]


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(), "0s"),
        (timedelta(seconds=59.5), "59s"),
        (timedelta(minutes=2, seconds=3), "2m 3s"),
        (timedelta(hours=5), "5h 0m"),
        (timedelta(days=3, hours=4, minutes=5), "3d 4h"),
        (timedelta(seconds=-5), "0s"),
    ],
)
def test_an_age_has_two_units(age: timedelta, shown: str) -> None:
    assert f"  {shown}  " in snapshots([snapshot("baseline", None, age)])
