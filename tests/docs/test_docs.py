"""Every `pyro` command in the documentation parses: its path, options and arguments exist. And every link leads somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.pages.blocks import blocks, commands, name_of, pages
from tests.pages.going import SHELLS

from pyro_mcp.cli.main import pyro

_ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")

every_page = pytest.mark.parametrize("page", pages(), ids=name_of)
_ALL = [_ROOT / "README.md", _ROOT / "CONTRIBUTING.md", *sorted((_ROOT / "docs").rglob("*.md"))]


@every_page
def test_commands_parse(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_TOKEN", "what docs/secrets.md takes from its reader")
    for block in blocks(page):
        if block.language in SHELLS:
            for command in commands(block):
                for words in _of_pyro(command.text):
                    _parse(words)


@pytest.mark.parametrize("page", _ALL, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def _of_pyro(line: str) -> Iterator[list[str]]:
    """The words of each call of pyro in a shell's line, the name left out."""
    reader = shlex.shlex(line.replace("\\\n", " "), posix=True, punctuation_chars="|;&<>")
    reader.whitespace_split = True
    words: list[str] = []
    for word in [*reader, ";"]:
        if set(word) <= set("|;&<>") or word == "do":
            if words[:1] == ["pyro"]:
                yield words[1:]
            words = []
        else:
            words.append(word)


def _parse(line: list[str]) -> None:
    """Resolve the command and let click read its words, without running it."""
    words = list(line)
    command: click.Command = pyro
    context = click.Context(pyro, info_name="pyro")
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words[0])
        assert found is not None, f"no such command: {line}"
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    if isinstance(command, click.Group):
        return  # a group by itself shows its help
    try:
        command.make_context(
            "pyro", [word for word in words if word != "COMMAND..."] or words, parent=context
        )
    except click.ClickException as error:
        pytest.fail(f"{line}: {error.format_message()}")
    except click.exceptions.Exit:  # --help
        return
