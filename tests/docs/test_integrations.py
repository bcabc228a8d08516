"""What the pages about chat hosts tell people to type is typed here, by somebody with an empty home directory."""

import re
from pathlib import Path

import pytest

from pyro_mcp.chat_hosts.known import HOSTS
from pyro_mcp.cli.main import run_cli

_PAGES = sorted((Path(__file__).parents[2] / "docs" / "integrations").glob("*.md"))
_CONNECT = re.compile(r"^    pyro (mcp connect [^#\n]+)", re.MULTILINE)


def test_every_host_has_its_page() -> None:
    assert {page.stem for page in _PAGES} >= set(HOSTS)


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_connecting_as_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    monkeypatch.chdir(project)
    for line in _CONNECT.findall(page.read_text()):
        assert run_cli(line.replace("~", str(tmp_path)).split()) == 0
        written = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert "pyro" in capsys.readouterr().out
        assert "--remove" in line or all("pyro" in file.read_text() for file in written)
