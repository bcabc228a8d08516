"""Put a rejected patch into words that help to write a better one."""

from collections.abc import Iterator

from pyro_mcp.models.patch import HunkOutcome, PatchedFile, PatchReport
from pyro_mcp.workspaces.text.describe import describe_near

_DESCRIBED = 8  # hunks: who has more wrong than this starts again from the first


def explain_rejection(report: PatchReport) -> tuple[str, str]:
    """Give one line for all, and the details file by file."""
    wrong = [file for file in report.files if not file.applied]
    hunks = sum(not hunk.applied for file in wrong for hunk in file.hunks)
    misfits = f"hunks that do not fit: {hunks}, " if hunks else ""
    brief = f"the patch does not apply ({misfits}files: {len(wrong)} of {len(report.files)})"
    return brief, "\n".join(_describe_files(wrong))


def next_step(report: PatchReport) -> str:
    """Say what makes a better patch."""
    wrong = [file for file in report.files if not file.applied]
    if any(not hunk.applied for file in wrong for hunk in file.hunks):
        return "Read the file around those lines, then send a patch made from what is there."
    if any(file.action == "add" for file in wrong):
        return "Read what is there: a file that exists is changed by an update with some of its lines, not added."
    return "See what is there with `<<workspace_file_list>>`, and send a patch for that."


def _describe_files(files: list[PatchedFile]) -> Iterator[str]:
    left = _DESCRIBED
    for file in files:
        yield f"{file.path}: {file.reason}"
        for hunk in file.hunks:
            if not hunk.applied and left > 0:
                left -= 1
                yield from _describe_hunk(hunk)


def _describe_hunk(hunk: HunkOutcome) -> Iterator[str]:
    yield f"  hunk {hunk.hunk} (line {hunk.patch_line} of the patch): {hunk.reason}"
    if hunk.candidates:
        yield (
            "    it would fit at lines "
            + ", ".join(map(str, hunk.candidates))
            + ": add unchanged lines around it"
        )
    for near in hunk.nearest:
        yield from describe_near(near)
