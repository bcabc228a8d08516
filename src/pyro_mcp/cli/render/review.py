"""Summaries and comparisons as people read them."""

from collections.abc import Sequence
from dataclasses import replace

from pyro_mcp.cli.render.tables import facts, table
from pyro_mcp.mcp_server.texts.diff import unshown
from pyro_mcp.models.summary import Attempt, TestCounts, WorkspaceComparison, WorkspaceSummary


def summary(found: WorkspaceSummary) -> str:
    """What changed, how the tests went, what failed, what to look at."""
    tried = found.connections
    told = {
        "workspace": found.name or found.workspace_id,
        "since": f"{found.since:%Y-%m-%d %H:%M:%S} UTC{_reset(found)}",
        "changed": _changed(found),
        "files": "\n".join(
            f"{file.status:<9} {file.path}  +{file.insertions} -{file.deletions}" for file in found.files
        ),
        **_tests_of(found),
        "commands": f"{found.commands_run} run, {found.commands_failed} failed, {found.busy_ms / 1000:.1f} s",
        "failed": "\n".join(
            f"{_ending(item.outcome, item.exit_code)}  {item.command}  ({item.output_id})"
            for item in found.failed
        ),
        "connections": f"{tried.allowed} let out, {tried.refused} refused, {tried.failed} failed: {', '.join(tried.destinations)}"
        if tried.destinations
        else "",
        "to look at": "\n".join(f"{item.reason}  {item.path}  {item.detail}" for item in found.findings),
    }
    return facts(told)


def comparison(found: WorkspaceComparison) -> str:
    """A table of the attempts, then the files that several changed and what to look at."""
    header = ("WORKSPACE", "FILES", "LINES", "CHANGE", "TESTS", "COMMANDS", "TIME", "TO LOOK AT")
    parts = [table(header, [_row(attempt) for attempt in found.attempts])]
    shared = [(file.path, ", ".join(file.workspaces)) for file in found.files if len(file.workspaces) > 1]
    if shared:
        parts.append(table(("CHANGED BY SEVERAL", "WORKSPACES"), shared))
    findings = [
        (attempt.workspace, item.reason, item.path, item.detail)
        for attempt in found.attempts
        for item in attempt.findings
    ]
    if findings:
        parts.append(table(("WORKSPACE", "TO LOOK AT", "PATH", "FACT"), findings))
    return "\n\n".join(parts)


def _row(attempt: Attempt) -> tuple[str, ...]:
    if attempt.error:
        return (attempt.workspace, "-", "-", "-", attempt.error, "-", "-", "-")
    return (
        attempt.workspace,
        str(attempt.files),
        f"+{attempt.insertions} -{attempt.deletions}",
        attempt.change or "-",
        _tests(attempt.tests) or "-",
        f"{attempt.commands_run} ({attempt.commands_failed} failed)",
        f"{attempt.busy_ms / 1000:.1f} s",
        str(len(attempt.findings)),
    )


def _reset(found: WorkspaceSummary) -> str:
    return f", the reset to {found.reset_to}" if found.reset_to else ""


def _changed(found: WorkspaceSummary) -> str:
    hidden = "".join(f", and {text}" for text in unshown(found))
    if not found.files:
        return f"nothing{hidden}"
    kinds = ", ".join(f"{total.files} {total.kind}" for total in found.kinds)
    # What follows in the summary counts from the reset, this does not.
    since = "; since the baseline" if found.reset_to else ""
    return f"{_counted(found.files)}, +{found.insertions} -{found.deletions} ({kinds}){hidden}{since}"


def _counted(files: Sequence[object]) -> str:
    return "1 file" if len(files) == 1 else f"{len(files)} files"


def _tests(counts: TestCounts | None) -> str:
    if counts is None:
        return ""
    rest = "".join(
        f", {count} {word}"
        for count, word in ((counts.errors, "errors"), (counts.skipped, "skipped"))
        if count
    )
    stale = ", files changed since" if counts.changed_since else ""
    return f"{counts.passed} passed, {counts.failed} failed{rest} ({counts.runner}){stale}"


def _tests_of(found: WorkspaceSummary) -> dict[str, str]:
    """One run is no comparison."""
    before, after = found.tests_before, found.tests_after
    if before and after and before.output_id == after.output_id:
        return {"tests, one run": _tests(after)}
    untouched = before and replace(before, changed_since=False)
    return {"tests before": _tests(untouched), "tests after": _tests(after)}


def _ending(outcome: str, exit_code: int | None) -> str:
    return outcome if exit_code is None else f"exit {exit_code}"
