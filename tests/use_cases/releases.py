"""A real package with a real bug, and the release that fixed it."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.opened import git

# split_after() with maxsplit gave an empty list at the end, when nothing was left to split; 9.1.0 has the fix and its test.
_WITH_BUG = (
    "more-itertools==9.0.0 --hash=sha256:5a6257e40878ef0520b1803990e3e22303a41b5714006c32a3fd8304b26ea1ab"
)
_FIXED = (
    "more-itertools==9.1.0 --hash=sha256:cabaa341ad0389ea83c17a94566a53ae4c9d07349861ecb14dc6d0345cf9ac5d"
)
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
    """A checkout of the release that has the bug."""
    root = _unpacked(_WITH_BUG, place)
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "9.0.0")
    return root


def fixed(place: Path) -> Path:
    """The release that has the fix."""
    return _unpacked(_FIXED, place)


def _unpacked(wanted: str, place: Path) -> Path:
    target = place / wanted.partition(" ")[0]
    target.mkdir(parents=True)
    (target / "wanted.txt").write_text(wanted)
    uv = shutil.which("uv") or str(Path(__file__).parents[2] / ".tools/uv/bin/uv")
    pip = [uv, "tool", "run", "--quiet", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run(
        [*pip, "-r", "wanted.txt"], cwd=target, check=True, env={**os.environ, "PIP_NO_INPUT": "1"}
    )
    with tarfile.open(next(target.glob("*.tar.gz"))) as archive:
        archive.extractall(target, filter="data")
    return next(found for found in target.iterdir() if found.is_dir())
