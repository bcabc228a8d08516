"""The code blocks of a page, and the commands in them, with what the page says that they print."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)$")


@dataclass(frozen=True)
class Block:
    """One block: fenced, or indented by four spaces (commands; with prompts, a transcript)."""

    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """What is typed, and the lines that it prints; None where the page does not tell."""

    line: int
    text: str
    told: tuple[str, ...] | None


def pages() -> list[Path]:
    """Every page with instructions. Design notes tell of the past; the reference is generated from what it tells of."""
    below = (ROOT / "docs").rglob("*.md")
    apart = {ROOT / "docs" / name for name in ("design", "reference")}
    return [ROOT / "README.md", *sorted(page for page in below if not apart & set(page.parents))]


def name_of(page: Path) -> str:
    """How a page is called in tables and in the names of tests."""
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """All of its code blocks, in order."""
    return list(_blocks(page.read_text(encoding="utf-8").split("\n")))


def _blocks(lines: list[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        begun = at
        if fence:
            at = lines.index("```", at + 1)
            yield Block(begun + 2, fence[1], "\n".join(lines[begun + 1 : at]))
        elif lines[at].startswith("    ") and not lines[at - 1].strip():
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at].strip()):
                at += 1
            text = "\n".join(line[4:] for line in lines[begun:at]).rstrip("\n")
            yield Block(begun + 1, "console" if re.search(r"^\$ ", text, re.MULTILINE) else "sh", text)
            continue
        at += 1


def commands(block: Block) -> list[Command]:
    """The commands of a block for a shell."""
    if block.language == "console":
        return list(_transcript(block))
    return [Command(line, text, None) for line, text in _typed(block.text.split("\n"), block.line) if text]


def _transcript(block: Block) -> Iterator[Command]:
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"line {block.line}: output without a command"
    line = block.line
    for part in parts[1:]:
        ((_, text), *_) = _typed(part.split("\n"), line)
        said = part.split("\n")[text.count("\n") + 1 :]
        yield Command(line, text, tuple("\n".join(said).rstrip("\n").split("\n")) if any(said) else None)
        line += part.count("\n")


def _typed(lines: list[str], first: int) -> Iterator[tuple[int, str]]:
    """Commands with the line where each begins; one goes on where a quote is open or a backslash ends the line."""
    text = ""
    for number, line in enumerate(lines, first):
        text = f"{text}\n{line}" if text else line
        if not (text.endswith("\\") or _open(text)):
            yield number - text.count("\n"), text
            text = ""


def _open(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return True
    return False
