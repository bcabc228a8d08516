"""Summaries and comparisons as a model reads them."""

from collections.abc import Iterator
from dataclasses import replace

from pyro_mcp.mcp_server.texts.answers import resumed_line
from pyro_mcp.mcp_server.texts.diff import unshown
from pyro_mcp.models.summary import Attempt, Finding, TestCounts, WorkspaceComparison, WorkspaceSummary

_FILES_SHOWN = 30
_SHARED_SHOWN = 20


def summary_text(summary: WorkspaceSummary, *, wide: bool = False) -> str:
    """The facts in the order a reviewer asks for them: what changed, how the tests went, what to look at."""
    name = summary.name or summary.workspace_id
    lines = [f"workspace {name}, since {summary.since:%Y-%m-%d %H:%M:%S} UTC"]
    if summary.resumed:
        lines.append(resumed_line(summary.resumed_reason, wide=wide))
    lines += _changes(summary)
    lines += _tests_of(summary)
    lines.append(
        f"commands: {summary.commands_run} run, {summary.commands_failed} failed, {summary.busy_ms / 1000:.1f} s in all"
    )
    for failed in summary.failed:
        ending = failed.outcome if failed.exit_code is None else f"exit {failed.exit_code}"
        lines.append(f"  {ending}: {failed.command} ({failed.output_id})")
    tried = summary.connections
    if tried.destinations:
        counts = f"{tried.allowed} let out, {tried.refused} refused, {tried.failed} failed"
        lines.append(f"connections: {counts}: {', '.join(tried.destinations)}")
    return "\n".join([*lines, *_to_look_at(summary.findings)])


def comparison_text(comparison: WorkspaceComparison) -> str:
    """A line per attempt, then what several of them changed."""
    lines = [_attempt(attempt) for attempt in comparison.attempts]
    same: dict[str, list[str]] = {}
    for attempt in comparison.attempts:
        if attempt.change:
            same.setdefault(attempt.change, []).append(attempt.workspace)
    lines += [f"the same change: {', '.join(names)}" for names in same.values() if len(names) > 1]
    shared = [file for file in comparison.files if len(file.workspaces) > 1]
    lines += [f"changed by {', '.join(file.workspaces)}: {file.path}" for file in shared[:_SHARED_SHOWN]]
    if len(shared) > _SHARED_SHOWN:
        lines.append(f"... {len(shared) - _SHARED_SHOWN} more files changed by several")
    for attempt in comparison.attempts:
        lines += [f"look at {attempt.workspace}, {_finding(found)}" for found in attempt.findings]
    return "\n".join([*lines, "Read a change with workspace_diff."])


def _changes(summary: WorkspaceSummary) -> Iterator[str]:
    if not summary.files:
        yield "nothing is changed"
        yield from _unshown(summary)
        return
    kinds = ", ".join(f"{total.files} {total.kind}" for total in summary.kinds)
    yield f"{len(summary.files)} files changed ({kinds}), +{summary.insertions} -{summary.deletions}"
    for file in summary.files[:_FILES_SHOWN]:
        moved = f" (was {file.old_path})" if file.old_path else ""
        yield f"  {file.status} {file.path}{moved} +{file.insertions} -{file.deletions}"
    if len(summary.files) > _FILES_SHOWN:
        yield f"  ... {len(summary.files) - _FILES_SHOWN} more"
    yield from _unshown(summary)


def _unshown(summary: WorkspaceSummary) -> Iterator[str]:
    yield from (f"  and {hidden}" for hidden in unshown(summary))


def _tests(counts: TestCounts | None) -> str:
    if counts is None:
        return "not known"
    parts = [f"{counts.passed} passed", f"{counts.failed} failed"]
    parts += [f"{counts.errors} errors"] if counts.errors else []
    parts += [f"{counts.skipped} skipped"] if counts.skipped else []
    stale = " (files changed since: run them again)" if counts.changed_since else ""
    return f"{', '.join(parts)} ({counts.runner}, {counts.output_id}){stale}"


def _tests_of(summary: WorkspaceSummary) -> Iterator[str]:
    """One run is no comparison."""
    before, after = summary.tests_before, summary.tests_after
    if before and after and before.output_id == after.output_id:
        yield f"tests, one run: {_tests(after)}"
    else:
        yield f"tests before: {_tests(before and replace(before, changed_since=False))}"
        yield f"tests after: {_tests(after)}"


def _to_look_at(findings: tuple[Finding, ...]) -> Iterator[str]:
    if findings:
        yield "to look at:"
    for found in findings:
        yield f"  {_finding(found)}"


def _finding(found: Finding) -> str:
    return f"{found.reason} {found.path}: {found.detail}".replace(" :", ":")


def _attempt(attempt: Attempt) -> str:
    if attempt.error:
        return f"{attempt.workspace}: {attempt.error}"
    return (
        f"{attempt.workspace}: {attempt.files} files, +{attempt.insertions} -{attempt.deletions}; tests "
        f"{_tests(attempt.tests)}; {attempt.commands_run} commands, {attempt.commands_failed} failed, "
        f"{attempt.busy_ms / 1000:.1f} s; {len(attempt.findings)} to look at"
    )
