"""Trees, repositories and images for the tests. git is run here, on the tests' own repositories; pyro itself never runs it."""

import hashlib
import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from pyro_mcp.host.paths import Paths
from pyro_mcp.workspaces.seeding.store import SeedStore

Facts = Mapping[bytes, tuple[object, ...]]


@pytest.fixture(autouse=True)
def plain_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of this host's user has a say."""
    home = tmp_path / "home"
    home.mkdir()
    for name, value in {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "protocol.file.allow",
        "GIT_CONFIG_VALUE_0": "always",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store(tmp_path: Path) -> SeedStore:
    root = tmp_path / "pyro-home"
    return SeedStore(
        Paths(root / "cache", root / "state", root / "runtime", root / "config"), drive_bytes=1 << 30
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An empty directory to seed from."""
    path = tmp_path / "source"
    path.mkdir()
    return path


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout


def fill(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def repository(directory: Path, files: Mapping[str, str]) -> Path:
    """A repository whose one commit has these files."""
    directory.mkdir(parents=True, exist_ok=True)
    git(directory, "init", "-q", "-b", "main")
    fill(directory, files)
    git(directory, "add", "-A", "-f")
    git(directory, "commit", "-q", "-m", "first")
    return directory


def unpack(image: Path, directory: Path) -> Path:
    """Unpack an image with squashfs-tools, which know the format better than we do."""
    subprocess.run(
        ["unsquashfs", "-q", "-n", "-d", str(directory), str(image)], check=True, capture_output=True
    )
    return directory


def facts(directory: Path) -> Facts:
    """Everything that must be kept of a tree."""
    root = os.fsencode(directory)
    found: dict[bytes, tuple[object, ...]] = {}
    for place, directories, files in os.walk(root):
        for name in (*directories, *files, b""):
            path = place + b"/" + name if name else place
            status = os.lstat(path)
            found[path[len(root) :]] = (
                status.st_mode,
                int(status.st_mtime_ns // 1_000_000_000),
                _content(path, status),
            )
    return found


def _content(path: bytes, status: os.stat_result) -> object:
    if stat.S_ISLNK(status.st_mode):
        return os.fsencode(Path(os.fsdecode(path)).readlink())
    if stat.S_ISREG(status.st_mode):
        return status.st_size, hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).hexdigest()
    return None
