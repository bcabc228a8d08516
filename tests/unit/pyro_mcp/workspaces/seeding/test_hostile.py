"""A seed that means harm: it runs nothing, reads nothing outside, and nothing of it is followed. Canaries tell."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pyro_mcp.workspaces.seeding.select import SeedOptions, select
from pyro_mcp.workspaces.seeding.store import SeedStore

from .conftest import fill, git, repository, unpack

SECRET = "the secret of another repository"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """Somebody's own repository, which a seed would like to have."""
    return repository(tmp_path / "private", {"secret.txt": SECRET})


def contents(store: SeedStore, source: Path, tmp_path: Path) -> Path:
    image = store.ensure(source).image
    assert image
    return unpack(image, tmp_path / "unpacked")


def test_a_hostile_configuration_runs_and_reads_nothing(
    store: SeedStore, source: Path, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    outside = tmp_path / "outside"
    os.mkfifo(outside)  # whoever opened it would hang
    repository(source, {"a.txt": "a", "b.bin": "b", ".gitattributes": "* filter=evil diff=evil\n"})
    run = f"touch {canary}; cat"
    (source / ".git" / "config").write_text(
        f"""[core]
\trepositoryformatversion = 0
\tfsmonitor = "{run}"
\thooksPath = {tmp_path}/hooks
\tworktree = {tmp_path / "elsewhere"}
\texcludesFile = {outside}
\tattributesFile = {outside}
[include]
\tpath = {outside}
[filter "evil"]
\tclean = "{run}"
\tsmudge = "{run}"
\tprocess = "{run}"
\trequired = true
[diff "evil"]
\ttextconv = "{run}"
"""
    )
    fill(source, {".git/hooks/post-index-change": f"#!/bin/sh\n{run}\n", "c.txt": "changed"})
    (source / ".git" / "hooks" / "post-index-change").chmod(0o755)
    unpacked = contents(store, source, tmp_path)
    assert not canary.exists()
    assert (unpacked / "a.txt").read_text() == "a"
    assert not (unpacked / ".git" / "hooks").exists()
    config = (unpacked / ".git" / "config").read_text()
    assert "touch" not in config
    assert str(tmp_path) not in config
    # What comes out is a repository that git works with, as clean as the source was.
    status = subprocess.run(
        ["git", "-C", str(unpacked), "status", "--porcelain"], capture_output=True, text=True, check=True
    )
    assert status.stdout == "?? c.txt\n"
    assert not canary.exists()


def gitdir_file(source: Path, private: Path) -> None:
    (source / ".git").write_text(f"gitdir: {private / '.git'}\n")


def gitdir_link(source: Path, private: Path) -> None:
    (source / ".git").symlink_to(private / ".git")


def alternates(source: Path, private: Path) -> None:
    repository(source, {"a": ""})
    (source / ".git" / "objects" / "info" / "alternates").write_text(f"{private / '.git' / 'objects'}\n")
    commit = git(private, "rev-parse", "HEAD")
    (source / ".git" / "refs" / "heads" / "main").write_text(commit)


def commondir(source: Path, private: Path) -> None:
    repository(source, {"a": ""})
    (source / ".git" / "commondir").write_text(f"{private / '.git'}\n")


def linked_objects(source: Path, private: Path) -> None:
    repository(source, {"a": ""})
    subprocess.run(["rm", "-rf", str(source / ".git" / "objects")], check=True)
    (source / ".git" / "objects").symlink_to(private / ".git" / "objects")


def pretended_worktree(source: Path, private: Path) -> None:
    """Its own worktree directory, with a `commondir` that points to the other repository."""
    fill(
        source,
        {
            "w/HEAD": "ref: refs/heads/main\n",
            "w/commondir": f"{private / '.git'}\n",
            "w/gitdir": f"{source / '.git'}\n",
        },
    )
    (source / ".git").write_text(f"gitdir: {source / 'w'}\n")


def pretended_submodule(source: Path, private: Path) -> None:
    (source / ".git").write_text(f"gitdir: {private / '.git'}\n")
    fill(source, {"config": f"[core]\n\tworktree = {source}\n"})


@pytest.mark.parametrize(
    "prepare",
    [
        gitdir_file,
        gitdir_link,
        alternates,
        commondir,
        linked_objects,
        pretended_worktree,
        pretended_submodule,
    ],
)
def test_no_repository_can_be_borrowed(
    prepare: Callable[[Path, Path], None], store: SeedStore, source: Path, private: Path, tmp_path: Path
) -> None:
    prepare(source, private)
    fill(source, {"mine.txt": "mine"})
    found = select(source, SeedOptions())
    assert not [entry for entry in found.entries if b".git" in entry.path.split(b"/")]
    assert [path for path, _ in found.findings.skipped] == [b".git"]
    assert found.findings.git is not None
    assert (found.findings.git.history, found.findings.git.commit) == (False, None)
    unpacked = contents(store, source, tmp_path)
    assert (unpacked / "mine.txt").read_text() == "mine"
    assert not (unpacked / ".git").exists()


@pytest.mark.parametrize(
    "name",
    ["HEAD", "index", "packed-refs", "config", "info/exclude", "refs/heads/linked", "objects/aa/linked"],
)
def test_links_and_fifos_inside_a_git_directory_are_not_followed(
    store: SeedStore, source: Path, tmp_path: Path, name: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    repository(source, {"a": ""})
    place = source / ".git" / name
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    select(source, SeedOptions())
    place.unlink()
    place.symlink_to(secret)
    image = store.ensure(source).image
    assert image
    unpacked = unpack(image, tmp_path / "unpacked")
    for path in unpacked.rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert SECRET not in path.read_text(errors="replace")


def test_links_that_lead_out_stay_links(store: SeedStore, source: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text(SECRET)
    (source / "directory").symlink_to(tmp_path / "outside")
    (source / "file").symlink_to(tmp_path / "outside" / "secret")
    (source / ".gitignore").symlink_to(tmp_path / "outside" / "secret")
    unpacked = contents(store, source, tmp_path)
    for name in ("directory", "file", ".gitignore"):
        assert (unpacked / name).is_symlink()


def test_an_index_that_is_nonsense_is_told(source: Path) -> None:
    repository(source, {"a": ""})
    (source / ".git" / "index").write_bytes(b"DIRC" + b"\xff" * 200)
    found = select(source, SeedOptions())
    assert [path for path, _ in found.findings.skipped] == [b".git/index"]
    assert b"a" in {entry.path for entry in found.entries}


def test_a_configuration_without_end_is_not_read_whole(source: Path) -> None:
    repository(source, {"a": ""})
    with (source / ".git" / "config").open("r+b") as file:
        file.truncate(1 << 40)
    select(source, SeedOptions())
