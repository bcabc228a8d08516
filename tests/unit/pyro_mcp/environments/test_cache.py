import errno
import os
from pathlib import Path

import pytest

from pyro_mcp.environments import cache as cache_module
from pyro_mcp.environments.cache import Cache
from pyro_mcp.errors import HostUnfit, LimitReached, PyroError


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, LimitReached),
        (errno.EDQUOT, LimitReached),
        (errno.EROFS, HostUnfit),
        (errno.EACCES, HostUnfit),
    ],
)
def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path, number: int, error: type[PyroError]) -> None:
    with pytest.raises(error) as caught, Cache(tmp_path).changing("a test"):
        raise OSError(number, os.strerror(number))
    assert caught.value.hint


def test_other_errors_are_not_dressed_up(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), Cache(tmp_path).changing("a test"):
        raise FileNotFoundError(errno.ENOENT, "gone")


def test_a_full_disk_is_refused_before_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "free_disk", lambda path: 5 << 20)
    with pytest.raises(LimitReached, match="5 MiB are free"):
        Cache(tmp_path).require_room()


def test_the_place_is_gone_afterwards(tmp_path: Path) -> None:
    with Cache(tmp_path / "cache").changing("a test") as place:
        (place / "file").touch()
    assert list((tmp_path / "cache" / "staging").iterdir()) == []
