"""Disks that fill up in the middle of work, the guest's and the host's: a typed error, nothing half done, and on it goes."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.broken import full_disk
from tests.ladder import PyroProgram

from pyro_mcp import LimitReached, Pyro, Workspace
from pyro_mcp.environments.values import Environment
from pyro_mcp.host.paths import Paths
from pyro_mcp.host.room import free_disk

_SMALL_MIB = 64
_LEFT_BYTES = 16 << 20
_LARGE = "x" * (4 << 20)
_FILL = "head -c 200M /dev/urandom > /fill; sync"
_PATCH = "--- /dev/null\n+++ b/added\n@@ -0,0 +1 @@\n+added\n--- /dev/null\n+++ b/large\n@@ -0,0 +1 @@\n+{}\n"


@pytest.fixture
def small(environment: Environment, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a small disk and a seed of two files."""
    seed = tmp_path / "seed"
    seed.mkdir()
    for name in ("one", "two"):
        (seed / name).write_text(f"{name}\n")
    with Pyro().workspace.create(seed_path=seed, disk_mib=_SMALL_MIB) as workspace:
        yield workspace


def test_a_workspace_whose_disk_is_full(small: Workspace, tmp_path: Path) -> None:
    """Whatever would have to write is refused whole; what removes something works, and then everything does again."""
    filled = small.exec(_FILL)
    assert "No space left" in filled.stderr
    pushed = tmp_path / "pushed"
    pushed.mkdir()
    (pushed / "one").write_text("changed\n")
    (pushed / "large").write_text(_LARGE)
    for refused in (
        lambda: small.file.write("large", _LARGE),
        lambda: small.patch.apply(_PATCH.format(_LARGE)),
        lambda: small.sync.push(pushed),
    ):
        with pytest.raises(LimitReached) as full:
            refused()
        assert "full" in str(full.value) or "No space left" in str(full.value)
    assert small.diff().files == ()
    assert small.exec("ls -A").stdout.split() == ["one", "two"]
    small.exec(
        "head -c 1 /dev/zero > /last; sync; while echo >> /last; do :; done 2> /dev/null", timeout_seconds=60
    )
    small.file.remove("/fill")
    assert small.exec("ls /fill").exit_code != 0
    small.sync.push(pushed)
    assert small.exec("cat one; wc -c < large").stdout.split() == ["changed", str(len(_LARGE))]
    small.stop()
    assert small.exec("cat one").stdout == "changed\n"


@pytest.fixture
def new_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A PYRO_HOME in which nothing has been made yet, with the user's cache."""
    cache = Paths.from_environment().cache.resolve()
    with TemporaryDirectory(prefix="pyro-vm-", dir="/tmp") as name:
        (Path(name) / "cache").symlink_to(cache)
        (Path(name) / "state").mkdir(mode=0o700)
        monkeypatch.setenv("PYRO_HOME", name)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a filesystem, which takes root")
def test_a_host_whose_disk_is_full(pyro: PyroProgram, new_home: Path) -> None:
    """The machine is ended with a word why; nothing that was acknowledged is lost, and work goes on once there is room."""
    with full_disk(new_home / "state", 400):
        assert pyro("workspace", "create", "-q", "--name", "full").returncode == 0
        assert pyro("workspace", "file", "write", "full", "kept", "--text", "kept").returncode == 0
        ballast = new_home / "state/ballast"
        ballast.write_bytes(bytes(free_disk(new_home / "state") - _LEFT_BYTES))
        ended = pyro("workspace", "exec", "full", "-q", "--", "sh", "-c", _FILL)
        assert ended.returncode == 125
        assert b"error: the host's disk is full" in ended.stderr
        refused = pyro("workspace", "diff", "full")
        assert refused.returncode == LimitReached.exit_status, refused.stderr
        ballast.unlink()
        again = pyro("workspace", "exec", "full", "--", "sh", "-c", "cat kept; rm -f /fill")
        assert (again.returncode, again.stdout) == (0, b"kept")
        assert b"started again" in again.stderr
        assert pyro("workspace", "reset", "full").returncode == 0
        assert pyro("workspace", "delete", "full").returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a filesystem, which takes root")
def test_a_command_ends_though_its_output_cannot_be_kept(environment: Environment, home: Path) -> None:
    """It goes on, and its answer says that something is missing."""
    with Pyro().workspace.create() as workspace:
        workspace.exec("true")
        outputs = home / "state/workspaces" / workspace.info.workspace_id / "outputs"
        with full_disk(outputs, 1):
            done = workspace.exec("head -c 3000000 /dev/zero | tr '\\0' x; echo ran > ran")
            assert (done.outcome, done.exit_code, done.stdout_truncated) == ("finished", 0, True)
            assert 0 < len(done.stdout) < 2 << 20
            with suppress(OSError):
                (outputs / "rest").write_bytes(bytes(2 << 20))
            late = workspace.exec("echo late > ran")
            assert (late.outcome, late.stdout) == ("finished", "")
        assert workspace.exec("cat ran").stdout == "late\n"
