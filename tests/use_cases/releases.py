"""A real package with a real bug, and the release that fixed it."""

from pathlib import Path

from tests.opened import git
from tests.releases import unpacked

FILE = "more_itertools/more.py"
TESTS = "tests/test_more.py"
BUG = "            yield buf\n            if maxsplit == 1:\n                yield list(it)\n                return\n"
FIX = BUG.replace("yield list(it)", "buf = list(it)\n                if buf:\n                    yield buf")
LAST_CASE = (
    "                ('a,b,c,d', lambda c: c != ',', 2),\n"
    "                [['a'], [',', 'b'], [',', 'c', ',', 'd']],\n            ),\n"
)
NEW_CASE = (
    LAST_CASE
    + "            (\n                ([1], lambda x: x == 1, 1),\n                [[1]],\n            ),\n"
)
SUITE = ["python3", "-B", "-m", "unittest", "-q", "tests.test_more", "tests.test_recipes"]
CLOSE = [
    *SUITE[:-2],
    *(
        f"tests.test_more.{name}"
        for name in ("SplitAtTests", "SplitBeforeTest", "SplitAfterTest", "SplitWhenTests")
    ),
]


def with_bug(place: Path) -> Path:
    """A checkout of 9.0.0: split_after() with maxsplit gives an empty list at the end, when nothing is left to split."""
    root = unpacked("more-itertools", "9.0.0", place)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "9.0.0")
    return root


def fixed(place: Path) -> Path:
    """9.1.0, which has the fix and its test."""
    return unpacked("more-itertools", "9.1.0", place)
