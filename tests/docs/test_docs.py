"""Every `pyro` command in the documentation parses: its path, options and arguments exist. And every link leads somewhere."""

import re
import shlex
from pathlib import Path

import click
import pytest

from pyro_mcp.cli.main import pyro

_ROOT = Path(__file__).parents[2]
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
# An indented line that begins with pyro, a prompt and pyro, or a pipe into it.
_COMMAND = re.compile(r"^    (?:\$ )?(?:.*\| )?(pyro [^|#;\n]+)", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")

pages = pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))


@pages
def test_commands_parse(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_TOKEN", "what docs/secrets.md takes from its reader")
    for found in _COMMAND.finditer(page.read_text(encoding="utf-8")):
        _parse(found[1].strip())


@pages
def test_links_lead_somewhere(page: Path) -> None:
    targets = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def _parse(line: str) -> None:
    """Resolve the command and let click read its words, without running it."""
    words = shlex.split(line)[1:]
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
