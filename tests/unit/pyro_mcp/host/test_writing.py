"""Files that are there whole or not at all."""

import os
from pathlib import Path

import pytest

from pyro_mcp.host.writing import sync_directory, sync_file, write_whole


def test_a_file_is_replaced_whole_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_whole(path, b"one")
    write_whole(path, b"x" * 300_000)
    assert path.read_bytes() == b"x" * 300_000
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    sync_file(path)
    sync_directory(tmp_path)


def test_what_was_there_stays_when_the_disk_does_not_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError("no space left")

    path = tmp_path / "facts.json"
    write_whole(path, b"one")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        write_whole(path, b"two")
    assert path.read_bytes() == b"one"
