"""Small answers are said as one says them."""

from datetime import UTC, datetime

import pytest

from pyro_mcp.cli.render import file, review, shell, workspace
from pyro_mcp.cli.render.answers import aside
from pyro_mcp.models.diff import FileDiff, WorkspaceDiff
from pyro_mcp.models.shell import ShellWritten
from pyro_mcp.models.summary import Connections, SummarizedFile, WorkspaceSummary
from pyro_mcp.models.workspace import SnapshotInfo

_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(("count", "told"), [(1, "1 byte typed"), (2, "2 bytes typed")])
def test_one_byte_is_no_bytes(count: int, told: str) -> None:
    assert shell.written(ShellWritten(shell_id="sh-1", cursor=0, written_bytes=count)) == f"sh-1: {told}"


def test_a_snapshot_that_was_deleted_is_said_to_be() -> None:
    gone = SnapshotInfo(name="two", parent=None, created_at=_AT, size_bytes=1)
    assert workspace.snapshot_deleted(gone) == "two is deleted"


def _summary(reset_to: str | None) -> str:
    file = SummarizedFile(
        path="a.py", old_path=None, status="modified", kind="source", insertions=1, deletions=1, binary=False
    )
    found = WorkspaceSummary(
        workspace_id="ws-4h7k2m9qxz",
        name="one",
        state="running",
        since=_AT,
        reset_to=reset_to,
        files=(file,),
        kinds=(),
        insertions=1,
        deletions=1,
        ignored=0,
        generated=0,
        commands_run=0,
        commands_failed=0,
        busy_ms=0,
        failed=(),
        tests_before=None,
        tests_after=None,
        connections=Connections(allowed=0, refused=0, failed=0, destinations=()),
        findings=(),
    )
    return review.summary(found)


def test_a_summary_says_what_counts_since_the_reset_and_what_since_the_baseline() -> None:
    after_reset = _summary("two").splitlines()
    assert after_reset[1].endswith("2026-01-02 03:04:05 UTC, the reset to two")
    assert after_reset[2].endswith("; since the baseline")
    untouched = _summary(None)
    assert "reset" not in untouched
    assert "baseline" not in untouched


def test_a_diff_is_the_change_alone_and_the_rest_is_said_beside_it() -> None:
    """It is piped on to `git apply`; a mistyped path must not look like no change all the same."""
    found = WorkspaceDiff(files=(), ignored=2, generated=1, unmatched=("typo.py",))
    assert file.diff(found) == ""
    assert aside("workspace_diff", found) == (
        "no such path, before or now: typo.py; not shown: 2 files that git ignores and 1 generated file (--include-ignored)"
    )
    assert aside("workspace_diff", WorkspaceDiff(files=())) is None
    changed = FileDiff(path="a", status="modified")
    assert aside("workspace_diff", WorkspaceDiff(files=(changed,), generated=1)) is None
    assert aside("workspace_list", []) is None
