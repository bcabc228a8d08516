"""git itself is the judge of what git ignores."""

import os
import re
import subprocess
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pyro_mcp.workspaces.seeding.ignore import Rules, parse

FILES = [
    b"ba",
    b"a/b/a",
    b"a/a/b",
    b"b/ab",
    b"ab/a b",
    b"ab/a]",
    b"#a",
    b"!a",
    b"a ",
    b"a-b",
    b"\xe9",
    b"a/.b",
    b"b/b/b/b",
]
DIRECTORIES = [b"a", b"a/b", b"a/a", b"b", b"ab", b"b/b", b"b/b/b", b"c"]


def judged(directory: Path, root: bytes, below: bytes) -> set[bytes]:
    """Ask git which of the paths, which are there, it would ignore by these two files."""
    if not directory.exists():
        subprocess.run(["git", "init", "-q", str(directory)], check=True)
        for name in DIRECTORIES:
            (directory / os.fsdecode(name)).mkdir()
        for name in FILES:
            (directory / os.fsdecode(name)).touch()
    (directory / ".gitignore").write_bytes(root)
    (directory / "a" / ".gitignore").write_bytes(below)
    asked = subprocess.run(
        ["git", "-C", str(directory), "check-ignore", "--no-index", "-z", "-v", "-n", "--stdin"],
        input=b"\0".join(FILES + DIRECTORIES) + b"\0", capture_output=True, check=False,
    )  # fmt: skip
    assert asked.returncode in (0, 1), asked.stderr
    verdicts = asked.stdout.split(b"\0")
    answers = zip(verdicts[2::4], verdicts[3::4], strict=False)
    return {path for pattern, path in answers if pattern and not pattern.startswith(b"!")}


def ours(root: bytes, below: bytes) -> set[bytes]:
    """What we say, with the rule that the walk applies: what lies in an ignored directory is ignored."""
    rules = Rules().over(b"", root)
    inner = rules.over(b"a", below)
    ignored = set()
    for name in FILES + DIRECTORIES:
        parts = name.split(b"/")
        for depth in range(1, len(parts) + 1):
            path = b"/".join(parts[:depth])
            applying = inner if path.startswith(b"a/") else rules
            if applying.ignores(path, is_directory=path in DIRECTORIES):
                ignored.add(name)
                break
    return ignored


PIECES = st.sampled_from(
    [
        b"a",
        b"b",
        b"*",
        b"**",
        b"?",
        b"/",
        b"/**/",
        b"**/",
        b"[ab]",
        b"[!a]",
        b"[a-c]",
        b"[]]",
        b"\\",
        b" ",
        b"!",
        b"#",
        b"[",
        b"]",
        b"-",
        b".",
        b"[[:alpha:]]",
        b"[^b-]",
        b"\xe9",
    ]
)
# Nobody writes a slash inside brackets, and git itself is of two minds about it.
LINE = st.lists(PIECES, max_size=6).map(b"".join).filter(lambda line: not re.search(rb"\[.*/", line))
LINES = st.lists(LINE, max_size=4).map(b"\n".join)


@settings(max_examples=150, deadline=None)
@given(root=LINES, below=LINES)
@example(root=b"/a/*\n!/a/b\n", below=b"")
@example(root=b"a/**\n", below=b"!b")
@example(root=b"**/b\r\n", below=b"")
@example(root=b"a/**/b\n", below=b"")
@example(root=b"a\\ \n\\#a\n\\!a\nb  \n", below=b"")
@example(root=b"*\n!*/\n!b\n", below=b"*")
@example(root=b"a\\/**/", below=b"")
@example(root=b"a**/a", below=b"")
@example(root=b"\xef\xbb\xbfa\n", below=b"")
def test_git_agrees(root: bytes, below: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert ours(root, below) == judged(tmp_path_factory.getbasetemp() / "judge", root, below)


@pytest.mark.parametrize(
    "pattern", [b"*a" * 40 + b"b", b"**/a/" * 30 + b"b", b"a**" * 30, b"?*" * 60 + b"c", b"/**" * 40 + b"/x"]
)
def test_no_pattern_takes_long(pattern: bytes) -> None:
    rules = Rules().over(b"", pattern)
    path = b"/".join([b"a" * 120] * 30)
    began = monotonic()
    for _ in range(20):
        rules.ignores(path, is_directory=False)
    assert monotonic() - began < 1


def test_an_endless_file_of_patterns_is_cut() -> None:
    assert len(parse(b"a\n" * 100_000)) == 5000
