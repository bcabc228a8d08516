import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyro_mcp.workspaces.seeding.gitindex import IndexUnreadable, tracked_paths

from .conftest import fill, git, repository

FILES = {
    "a": "",
    "a-b": "",
    "a/b".replace("a/", "d/"): "",
    "d/e/" + "f" * 200: "",
    "é": "",
    "x" * 7: "",
    "x" * 8: "",
    "x" * 9: "",
}


def listed(directory: Path) -> list[tuple[bytes, int]]:
    done = subprocess.run(
        ["git", "-C", str(directory), "ls-files", "-s", "-z"], capture_output=True, check=True
    )
    entries = (entry.partition(b"\t") for entry in done.stdout.split(b"\0")[:-1])
    return [(path, int(facts.split()[0], 8)) for facts, _, path in entries]


def read(directory: Path, hash_size: int = 20) -> list[tuple[bytes, int]]:
    return list(tracked_paths((directory / ".git" / "index").read_bytes(), hash_size))


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_every_version_is_read_as_git_reads_it(source: Path, version: str) -> None:
    repository(source, FILES)
    (source / "link").symlink_to("a")
    (source / b"caf\xe9\n".decode(errors="surrogateescape")).touch()
    git(source, "add", "-A")
    git(source, "update-index", "--index-version", version)
    fill(source, {"later": ""})
    git(source, "add", "-N", "later")  # an extended entry
    assert read(source) == listed(source)
    assert len(read(source)) == len(FILES) + 3


def test_a_sha256_repository_is_read_too(source: Path) -> None:
    git(source, "init", "-q", "--object-format=sha256")
    fill(source, FILES)
    git(source, "add", "-A")
    assert read(source, 32) == listed(source)


def test_a_split_index_is_refused(source: Path) -> None:
    repository(source, FILES)
    git(source, "update-index", "--split-index")
    fill(source, {"new": ""})
    git(source, "add", "new")
    with pytest.raises(IndexUnreadable, match="split"):
        read(source)


@given(st.binary(max_size=300), st.sampled_from([2, 3, 4, 5]), st.integers(0, 2**32 - 1))
def test_nonsense_is_refused_or_harmless(body: bytes, version: int, count: int) -> None:
    for data in (body, b"DIRC" + version.to_bytes(4, "big") + count.to_bytes(4, "big") + body):
        try:
            paths = list(tracked_paths(data, 20))
        except IndexUnreadable:
            continue
        assert len(paths) <= len(body)


def test_names_that_grow_without_end_are_refused() -> None:
    first = bytes(62) + b"\0" + b"a" * 4000 + b"\0"
    again = (bytes(62) + b"\0" + b"b" * 10 + b"\0") * 200_000
    with pytest.raises(IndexUnreadable):
        list(
            tracked_paths(
                b"DIRC" + (4).to_bytes(4, "big") + (200_001).to_bytes(4, "big") + first + again + bytes(20),
                20,
            )
        )
