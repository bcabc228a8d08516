from pathlib import Path

import pytest

from pyro_mcp.errors import HostUnfit
from pyro_mcp.host.paths import Paths, private_directory


def test_defaults_stand_below_home() -> None:
    paths = Paths.from_environment({"HOME": "/home/ada"})
    assert (paths.cache, paths.state, paths.config) == (
        Path("/home/ada/.cache/pyro"),
        Path("/home/ada/.local/state/pyro"),
        Path("/home/ada/.config/pyro"),
    )


def test_xdg_variables_move_them_and_relative_ones_are_ignored(tmp_path: Path) -> None:
    variables = {
        "HOME": "/home/ada",
        "XDG_CACHE_HOME": "/big/cache",
        "XDG_STATE_HOME": "relative",
        "XDG_RUNTIME_DIR": str(tmp_path),
    }
    paths = Paths.from_environment(variables)
    assert paths.cache == Path("/big/cache/pyro")
    assert paths.state == Path("/home/ada/.local/state/pyro")
    assert paths.runtime == tmp_path / "pyro"


@pytest.mark.parametrize("runtime", ["", "relative", "/does/not/exist"])
def test_without_a_runtime_directory_one_of_our_own_in_tmp_is_used(runtime: str) -> None:
    paths = Paths.from_environment({"HOME": "/home/ada", "XDG_RUNTIME_DIR": runtime})
    assert paths.runtime.parent == Path("/tmp")
    assert paths.runtime.name.startswith("pyro-")


def test_pyro_home_holds_all_four(tmp_path: Path) -> None:
    paths = Paths.from_environment({"PYRO_HOME": str(tmp_path), "XDG_CACHE_HOME": "/elsewhere"})
    assert paths == Paths(tmp_path / "cache", tmp_path / "state", tmp_path / "runtime", tmp_path / "config")


def test_a_private_directory_is_made_for_us_alone(tmp_path: Path) -> None:
    made = private_directory(tmp_path / "a" / "b")
    assert made.stat().st_mode & 0o777 == 0o700
    assert private_directory(made) == made


def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(HostUnfit, match="not a directory of yours alone") as refused:
        private_directory(tmp_path)
    assert "XDG_RUNTIME_DIR" in (refused.value.hint or "")


def test_a_link_that_somebody_laid_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(HostUnfit):
        private_directory(tmp_path / "link")
