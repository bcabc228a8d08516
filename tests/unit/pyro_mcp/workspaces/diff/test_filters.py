import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.diff.filters import path_filter, plain_paths


@pytest.mark.parametrize(
    ("pattern", "path", "chosen"),
    [
        (b"src", b"src/a/b.py", True),
        (b"src/", b"src/a", True),
        (b"src", b"src2/a", False),
        (b"src", b"a/src", False),
        (b"*.py", b"a/b.py", True),
        (b"src/*.py", b"src/deep/x.py", True),
        (b"src/*.py", b"src/x.pyc", False),
        (b"src/**/x", b"src/a/b/x", True),
        (b"src/**/x", b"src/x", True),
        (b"**/*.py", b"top.py", True),
        (b":!src", b"src/x", False),
        (b":^src/*.py", b"a.py", True),
        (b":(exclude)*.py", b"a/b.py", False),
        (b"./:!x", b":!x", True),
        (b":x", b":x", True),
        (b"t?st", b"test/x", True),
        (b"[ab].txt", b"a.txt", True),
        (b"[!ab].txt", b"a.txt", False),
        (b"[a-c]", b"b", True),
        (b"a[", b"a[", True),
        (b".", b"anything", True),
        (b"", b"anything", True),
        (b"./src", b"src/x", True),
        (b"/workspace/src", b"src/x", True),
        (b"/workspace", b"x", True),
        (b"a.b", b"axb", False),
        (b"\xff*", b"\xffx", True),
    ],
)
def test_a_pattern_chooses_as_gits_do(pattern: bytes, path: bytes, chosen: bool) -> None:
    assert path_filter([pattern])(path) is chosen


def test_without_patterns_everything_is_chosen_and_with_several_any_will_do() -> None:
    assert path_filter([])(b"x")
    assert path_filter([b"a", b"x"])(b"x")


def test_what_is_not_wanted_is_taken_from_what_is() -> None:
    wanted = path_filter([b"src", b":!src/*.lock", b":!src/out"])
    paths = [b"src/a.py", b"src/b.lock", b"src/out/x", b"other"]
    assert [path for path in paths if wanted(path)] == [b"src/a.py"]
    assert plain_paths([b"src", b":!src/out"]) == [b"src"]
    assert plain_paths([b":!src/out"]) == []


@pytest.mark.parametrize("pattern", [b":/", b":(icase)x", b":(top)", b":(exclude,glob)x", b":*"])
def test_other_magic_is_refused(pattern: bytes) -> None:
    with pytest.raises(InvalidRequest, match="no path and no glob") as refused:
        path_filter([pattern])
    assert ":!PATTERN" in refused.value.hint


@pytest.mark.parametrize("pattern", [b"/etc", b"../x", b"a/../../b", b"a\0"])
def test_a_pattern_outside_the_workspace_is_refused(pattern: bytes) -> None:
    with pytest.raises(InvalidRequest, match="below the workspace"):
        path_filter([pattern])
