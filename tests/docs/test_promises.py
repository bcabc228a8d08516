"""What the pages quote is there: messages in the sources, tests that attack what security claims, a test for each example."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
# What others say, not we: programs in a machine, the C library, the shell.
_NOT_OURS = {
    "Connection reset by peer",
    "Could not resolve host",
    "No space left on device",
    "Permission denied",
    "Temporary failure in name resolution",
    "certificate verify failed",
    "pyro: command not found",
}
# Words of an answer and commands, not messages.
_ANSWERS = {"isolation emulated", "confinement partial", "make demo"}
_TOKEN = re.compile(r"`([^`]+)`")
_SECURITY = (_ROOT / "docs" / "security.md").read_text()
_ROWS = [
    line for line in _SECURITY.partition("| Defended |")[2].partition("\n\n")[0].splitlines()[2:] if line
]
_TESTS = {file: file.read_text() for file in (_ROOT / "tests").rglob("test_*.py")}


def _said() -> str:
    """All that pyro's sources say, with adjacent pieces of a text joined."""
    files = [*(_ROOT / "src").rglob("*.py"), _ROOT / "scripts" / "setup"]
    return re.sub(r"[\"']\s*\n\s*f?[\"']", "", "\n".join(file.read_text() for file in files))


def test_every_symptom_is_what_pyro_says_today() -> None:
    text = (_ROOT / "docs" / "troubleshooting.md").read_text()
    symptoms = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")]
    quoted = {found for symptom in symptoms for found in _TOKEN.findall(symptom) if " " in found}
    said = _said()
    # Numbers and names in a message vary, and what stands for them.
    unsaid = [
        text
        for text in quoted - _NOT_OURS - _ANSWERS
        for part in re.split(r"…|'NAME'|edit \d|times$|\(|\)|waiting for|:8080", text)
        if part.strip() and part.strip() not in said
    ]
    assert unsaid == []
    assert len(quoted) > 20


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_claim_names_tests_that_are_there(row: str) -> None:
    by = row.split("|")[-2]
    named = [name for name in _TOKEN.findall(by) if "test" in name]
    assert named or "the same" in by
    for name in named:
        place, _, function = name.partition("::")
        if place.startswith("test_") and not place.endswith(".py"):
            place, function = "", place
        files = {file: text for file, text in _TESTS.items() if place in str(file.relative_to(_ROOT))}
        assert files, name
        if function:
            start = re.escape(function.removesuffix("…"))
            assert any(re.search(rf"def {start}\w*\(", text) for text in files.values()), name
    player = (_ROOT / "tests" / "vm" / "player.py").read_text()
    for tried in re.findall(r'"([^"…]+)"', by):
        assert f'"{tried}' in player, tried


def test_every_example_is_run_by_a_test() -> None:
    examples = [file for file in (_ROOT / "examples").iterdir() if file.is_file()]
    runs = "".join(text for file, text in _TESTS.items() if file.parent.name == "smoke")
    # Named in a call, not only in the list of those that are known.
    unrun = [
        file.name
        for file in examples
        if not re.search(rf'_EXAMPLES / "{file.name}"|_run\("{file.name}"|_example\("{file.name}"', runs)
    ]
    assert unrun == []
