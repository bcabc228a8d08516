"""Memory, disks and the cache, from plenty to nothing."""

import os
from pathlib import Path

import pytest

from pyro_mcp.workspaces.doctor.room import check_kit, check_memory, check_place


@pytest.mark.parametrize(("mib", "health"), [(8000, "pass"), (600, "warn"), (100, "fail")])
def test_memory(mib: int, health: str) -> None:
    assert check_memory(mib << 20).health == health


@pytest.mark.parametrize(("free", "health"), [(50 << 30, "pass"), (1 << 30, "warn"), (1 << 20, "fail")])
def test_disk_space_of_a_place_that_may_not_exist_yet(free: int, health: str, tmp_path: Path) -> None:
    assert check_place("cache", tmp_path / "not" / "yet", free).health == health


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_may_not_be_written_fails(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert check_place("cache", tmp_path / "pyro", 50 << 30).health == "fail"


def test_no_kit_yet_is_no_failure() -> None:
    check = check_kit(None)
    assert (check.health, check.remedy) == ("warn", "pyro env pull debian:12")
