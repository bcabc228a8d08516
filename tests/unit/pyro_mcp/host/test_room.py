import os
from pathlib import Path

import pytest

from pyro_mcp.errors import LimitReached
from pyro_mcp.host import room


def test_free_memory_is_within_what_the_machine_has() -> None:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < room.free_memory() <= total


@pytest.mark.parametrize(("free_mib", "fits"), [(1024, False), (1151, False), (1152, True), (9000, True)])
def test_a_machine_has_to_fit_with_what_it_needs_beside_its_memory(
    monkeypatch: pytest.MonkeyPatch, free_mib: int, fits: bool
) -> None:
    monkeypatch.setattr(room, "free_memory", lambda: free_mib << 20)
    if fits:
        room.require_memory(1024)
        return
    with pytest.raises(LimitReached, match=f"1024 MiB does not fit: this host has {free_mib} MiB"):
        room.require_memory(1024)


def test_free_disk_is_told_for_a_place_that_is_yet_to_be_made(tmp_path: Path) -> None:
    assert room.free_disk(tmp_path / "not" / "yet") > 0


@pytest.mark.parametrize(
    ("limits", "rooms"),
    [
        ({"": "max", "a": "max", "a/b": "max"}, []),
        ({"": "max", "a": "1000", "a/b": "max"}, [600]),
        ({"": "5000", "a": "1000", "a/b": "700"}, [300, 600, 4600]),
    ],
)
def test_every_cgroup_limit_above_us_counts_and_cached_files_do_not(
    tmp_path: Path, limits: dict[str, str], rooms: list[int]
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for group, limit in limits.items():
        (tmp_path / group / "memory.max").write_text(f"{limit}\n")
        (tmp_path / group / "memory.current").write_text("500\n")
        (tmp_path / group / "memory.stat").write_text("anon 400\ninactive_file 100\n")
    assert room._cgroup_room("0::/a/b\n", tmp_path) == rooms


@pytest.mark.parametrize(("free_mib", "fits"), [(0, False), (255, False), (256, True)])
def test_a_machine_needs_some_disk_to_write_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_mib: int, fits: bool
) -> None:
    monkeypatch.setattr(room, "free_disk", lambda path: free_mib << 20)
    if fits:
        room.require_disk(tmp_path)
        return
    with pytest.raises(LimitReached, match="MiB of disk free") as refused:
        room.require_disk(tmp_path)
    assert "pyro prune" in (refused.value.hint or "")


def test_holes_take_no_disk_and_neither_does_what_is_gone(tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(1 << 30)
    assert room.stored_bytes(sparse) < 1 << 20
    assert room.stored_bytes(tmp_path / "gone") == 0
