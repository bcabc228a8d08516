"""Real history: what changed between consecutive releases of packages, there and back.

Long and needs the package index, so only with PYRO_LONG_TESTS=1; PYRO_RELEASES names a directory to keep the archives in.
"""

import os
import time
from pathlib import Path

import pytest
from tests.releases import RELEASES, unpacked
from tests.unit.pyro_mcp.workspaces.trees import Git, changes_between, patched, take_in

from pyro_mcp.workspaces.diff import diff_trees

pytestmark = [
    pytest.mark.skipif(not os.environ.get("PYRO_LONG_TESTS"), reason="long; set PYRO_LONG_TESTS=1"),
    pytest.mark.timeout(600),
]


@pytest.mark.parametrize(("name", "before", "after"), RELEASES)
@pytest.mark.parametrize(
    "options", [["-M"], ["--no-renames", "--full-index"], ["-C", "--find-copies-harder", "-U1"]]
)
def test_the_diff_between_two_releases_applies_and_ours_applies_back(
    name: str, before: str, after: str, options: list[str], tmp_path: Path
) -> None:
    old, new = take_in(unpacked(name, before, tmp_path)), take_in(unpacked(name, after, tmp_path))
    git = Git(tmp_path)
    theirs = git.diff(old, new, "--binary", *options)

    began = time.perf_counter()
    forward, plan = patched(old, theirs)
    applied = time.perf_counter() - began
    assert forward == new
    assert not any(
        file.tolerances or any(hunk.tolerances for hunk in file.hunks) for file in plan.report.files
    )

    began = time.perf_counter()
    back = diff_trees(changes_between(forward, old)).patch()
    compared = time.perf_counter() - began
    assert git.apply(new, back) == old
    assert patched(new, back)[0] == old
    files, lines = len(plan.report.files), theirs.count(b"\n")
    print(
        f"{name} {before}..{after} {files} files {lines} lines: apply {applied:.3f} s, diff {compared:.3f} s"
    )
