"""Review and evaluation: candidate patches scored one after another from one snapshot, each from the same state."""

from pathlib import Path

import pytest
from tests.opened import outliving
from tests.use_cases import releases
from tests.use_cases.doors import DoorName, working

pytestmark = [outliving, pytest.mark.timeout(600), pytest.mark.usefixtures("environment", "home")]
_PATCH = """*** Begin Patch
*** Update File: more_itertools/more.py
@@ def split_after(iterable, pred, maxsplit=-1):
             yield buf
             if maxsplit == 1:
-                yield list(it)
{added}
                 return
*** End Patch
"""
_CANDIDATES = {
    "right": "+                buf = list(it)\n+                if buf:\n+                    yield buf",
    "nothing": "+                yield list(it)",
    "loses the rest": "+                list(it)",
    "wrong type": "+                yield from it",
    "crashes": "+                yield list(items)",
}


@pytest.mark.parametrize("door", ["mcp", "cli", "sdk"])
def test_review_eval(tmp_path: Path, door: DoorName) -> None:
    project = releases.with_bug(tmp_path)
    with working("review-eval", door, profile="workspace-full", host_root=project) as call:
        call("workspace_create", name="eval", seed_path=".")
        test = [{"old": releases.LAST_CASE, "new": releases.NEW_CASE}]
        call("workspace_file_edit", workspace="eval", path=releases.TESTS, edits=test)
        call("snapshot_create", workspace="eval", snapshot="hidden-test")
        scores = {}
        for name, added in _CANDIDATES.items():
            if name != "nothing":
                call("workspace_patch_apply", workspace="eval", patch=_PATCH.format(added=added))
            call("workspace_exec", workspace="eval", command=releases.CLOSE)
            tests = call("workspace_summary", workspace="eval")["tests_after"]
            scores[name] = tests["failed"] + tests["errors"]
            call("workspace_reset", workspace="eval", snapshot="hidden-test")
        assert [name for name, failed in scores.items() if not failed] == ["right"]
        left = call("workspace_diff", workspace="eval", format="name-status")
        assert (
            left["name_status"] == f"M\t{releases.TESTS}\n"
        )  # every candidate began there, and none left a trace
        call("workspace_delete", workspace="eval")
