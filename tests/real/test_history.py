"""What changed between consecutive releases of packages, there and back on a machine, held against git."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.opened import outliving
from tests.releases import RELEASES, unpacked
from tests.unit.pyro_mcp.workspaces.trees import Git, Tree, take_in

from pyro_mcp import Pyro, Workspace
from pyro_mcp.environments.values import Environment
from pyro_mcp.models.diff import WorkspaceDiff

pytestmark = [outliving, pytest.mark.timeout(300)]


@pytest.mark.parametrize(("name", "before", "after"), RELEASES)
def test_a_release_becomes_the_next_and_is_pushed_back(
    environment: Environment, tmp_path: Path, name: str, before: str, after: str
) -> None:
    older, newer = unpacked(name, before, tmp_path), unpacked(name, after, tmp_path)
    old, new = take_in(older), take_in(newer)
    git, laps = Git(tmp_path), dict[str, float]()
    theirs = git.diff(old, new, "-M", "--binary").decode(errors="surrogateescape")
    with Pyro().workspace.create(seed_path=older, include_sensitive=True) as workspace:
        with _lap(laps, "apply"):
            report = workspace.patch.apply(theirs)
        assert not any(
            file.tolerances or any(hunk.tolerances for hunk in file.hunks) for file in report.files
        )
        with _lap(laps, "diff"):
            diff = workspace.diff()
        assert git.apply(old, _bytes_of(diff)) == new
        assert git.apply(new, _bytes_of(diff), "--reverse") == old
        with _lap(laps, "export"):
            workspace.export(output_path=tmp_path / "out", allow_paths=["."])
        assert _differing(take_in(tmp_path / "out"), new) == []
        _push_there_and_back(workspace, older, newer, laps)
    told = ", ".join(f"{what} {seconds:.2f} s" for what, seconds in laps.items())
    print(f"{name} {before}..{after}: {len(report.files)} of {len(new)} files: {told}")


def _push_there_and_back(workspace: Workspace, older: Path, newer: Path, laps: dict[str, float]) -> None:
    """The workspace holds the newer release: a push of it brings nothing, one of the older all that differs."""
    with _lap(laps, "push of nothing"):
        nothing = workspace.sync.push(newer, delete=True)
    assert (nothing.changed, nothing.removed) == (0, 0)
    with _lap(laps, "push back"):
        back = workspace.sync.push(older, delete=True)
    assert back.changed
    assert workspace.diff().files == ()


def _differing(one: Tree, other: Tree) -> list[bytes]:
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def _bytes_of(diff: WorkspaceDiff) -> bytes:
    if diff.patch_bytes is not None:
        return diff.patch_bytes
    return (diff.patch or "").encode()


@contextmanager
def _lap(laps: dict[str, float], what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    laps[what] = time.perf_counter() - began
