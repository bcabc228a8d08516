import shutil

import pytest

from pyro_mcp.host.programs import search_path


def test_an_ordinary_users_path_is_widened_by_the_system_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/home/ada/bin:/usr/bin:/bin")
    assert search_path() == "/home/ada/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
    assert shutil.which("mkfs.ext4", path=search_path())
