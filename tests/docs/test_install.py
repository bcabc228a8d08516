"""What the pages have a person put into a shell is read by that shell, and completion completes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PAGES = [
    page
    for page in [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
    if "```sh" in page.read_text()
]
_PYRO = str(Path(sys.executable).with_name("pyro"))


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_shell_blocks_are_read_by_a_shell(page: Path) -> None:
    for block in _SHELL.findall(page.read_text()):
        done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_there_for_each_shell_that_the_page_names(shell: str) -> None:
    assert f"_PYRO_COMPLETE={shell}_source pyro" in (_ROOT / "docs" / "install.md").read_text()
    assert "pyro_completion" in _completed({"_PYRO_COMPLETE": f"{shell}_source"})


def test_completion_knows_commands_and_choices() -> None:
    words = {
        "_PYRO_COMPLETE": "bash_complete",
        "COMP_WORDS": "pyro workspace create --network-policy e",
        "COMP_CWORD": "4",
    }
    assert _completed(words).split() == ["plain,egress", "plain,egress+published-ports"]
    words = {"_PYRO_COMPLETE": "bash_complete", "COMP_WORDS": "pyro workspace sn", "COMP_CWORD": "2"}
    assert _completed(words).split() == ["plain,snapshot"]


def _completed(words: dict[str, str]) -> str:
    done = subprocess.run([_PYRO], env={**os.environ, **words}, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.stdout
