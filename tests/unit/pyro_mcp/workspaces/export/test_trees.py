"""Trees written by ourselves are those that git writes."""

import pygit2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyro_mcp.workspaces.export.trees import Directory

_FILE = 0o100644
_paths = st.lists(st.sampled_from(["a", "b", "a.b", "a-", "z"]), min_size=1, max_size=3).map("/".join)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path_factory.mktemp("trees")), bare=True)


@settings(max_examples=60)
@given(edits=st.lists(st.tuples(st.booleans(), _paths), max_size=25), cut=st.integers(0, 25))
def test_putting_and_removing_gives_the_tree_that_libgit2_makes(
    repository: pygit2.Repository, edits: list[tuple[bool, str]], cut: int
) -> None:
    blob = str(repository.create_blob(b"x"))
    ours = Directory(repository, None)
    expected: set[str] = set()
    for number, (puts, path) in enumerate(edits):
        if number == cut:
            ours = Directory(repository, ours.write())  # as one that was read
        if not puts:
            ours.remove(path.encode())
            expected.discard(path)
        elif not any(one.startswith(path + "/") for one in expected):
            parts = path.split("/")
            expected -= {"/".join(parts[:depth]) for depth in range(1, len(parts))}
            ours.put(path.encode(), _FILE, blob)
            expected.add(path)
    index = pygit2.Index()
    for path in expected:
        index.add(pygit2.IndexEntry(path, pygit2.Oid(hex=blob), pygit2.enums.FileMode.BLOB))
    assert ours.write() == str(index.write_tree(repository))
    assert {path.decode() for path, _, _ in Directory(repository, ours.write()).walk()} == expected


def test_names_may_be_any_bytes(repository: pygit2.Repository) -> None:
    blob = str(repository.create_blob(b"x"))
    tree = Directory(repository, None)
    tree.put(b"\xff/\xfe\n", _FILE, blob)
    read = Directory(repository, tree.write())
    assert list(read.walk()) == [(b"\xff/\xfe\n", _FILE, blob)]
    assert read.get(b"\xff/\xfe\n") == (_FILE, blob)
    assert read.get(b"\xff") is None
