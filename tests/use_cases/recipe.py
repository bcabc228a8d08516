"""Whether a recipe tells what its job does today: the calls with their answers, and what the job costs."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.pages.blocks import ROOT, blocks
from tests.pages.told import differences

PLACE = ROOT / "docs" / "use-cases"
# Each job's page, by the name that its smoke test gives it.
PAGES = {
    "cold-start-validation": "cold-start-validation.md",
    "repro-fix-loop": "repro-and-fix.md",
    "parallel-workspaces": "parallel-attempts.md",
    "untrusted-inspection, off": "untrusted-inspection.md",
    "review-eval": "review-and-evaluate.md",
}
ROWS = {"mcp": "MCP", "cli": "command line (`--json`)", "sdk": "SDK"}
_CALL = re.compile(r"([a-z_]+) (\{.*\})\n\n(.*)", re.DOTALL)
# Seconds and dates in an answer have more or fewer digits from run to run.
_CHARACTERS_MAY_DIFFER = 0.05
# How often a command that goes on is asked for depends on the host; so does all that is counted then.
_WAITED = "workspace_exec_wait"
_STILL_RUNNING = "still running"


def costs(page: Path) -> dict[str, tuple[int, ...]]:
    """What a page says that its job costs, by door: calls, characters given, characters answered."""
    rows = re.findall(
        r"^\| ([^|]+) \| (\d+) \| ([\d,]+) \| ([\d,]+) \| \d+ \|$", page.read_text(), re.MULTILINE
    )
    return {name: tuple(int(number.replace(",", "")) for number in numbers) for name, *numbers in rows}


def wrong_in_recipe(job: str, door: str, heard: Sequence[tuple[str, str, str]], src: Path) -> list[str]:
    """Hold the recipe of a job against one run of it: operations, arguments, answers. `src` is the directory of the project."""
    if job not in PAGES:
        return []
    page = PLACE / PAGES[job]
    found = list(_costs_differently(page, door, heard))
    return found + (list(_answers_differently(page, heard, str(src))) if door == "mcp" else [])


def _costs_differently(page: Path, door: str, heard: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    calls, given, answered = costs(page)[ROWS[door]]
    characters = sum(len(text) for _, _, text in heard)
    if any(operation == _WAITED for operation, _, _ in heard):
        return
    if (calls, given) != (len(heard), sum(len(words) for _, words, _ in heard)):
        yield f"{page.name}: {door} took {len(heard)} calls, {sum(len(words) for _, words, _ in heard)} characters"
    if abs(characters - answered) > answered * _CHARACTERS_MAY_DIFFER:
        yield f"{page.name}: {door} answered {characters} characters"


def _answers_differently(page: Path, heard: Sequence[tuple[str, str, str]], src: str) -> Iterator[str]:
    answers: dict[str, list[str]] = {}
    for operation, words, text in heard:
        answers.setdefault(f"{operation} {words}", []).append(text.replace(src, "~/src"))
    for block in blocks(page):
        if block.language != "text" or not (call := _CALL.fullmatch(block.text)):
            continue
        said = answers.get(f"{call[1]} {json.dumps(json.loads(call[2]))}", [])
        differs = [differences(call[3].split("\n"), text.rstrip("\n").split("\n"), src) for text in said]
        waited = _STILL_RUNNING in call[3] or any(text.startswith(_STILL_RUNNING) for text in said)
        if not said:
            yield f"{page.name}:{block.line}: the job does not call this: {call[1]} {call[2]}"
        elif all(differs) and not waited:
            yield f"{page.name}:{block.line}: {call[1]} {call[2]}\n{differs[0]}"
