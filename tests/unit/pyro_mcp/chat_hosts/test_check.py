"""A server that does not work is told apart from one that does, with what it said."""

import sys
from pathlib import Path

import pytest

from pyro_mcp.chat_hosts import check as module
from pyro_mcp.chat_hosts.check import check
from pyro_mcp.chat_hosts.starting import Start
from pyro_mcp.errors import HostUnfit


def _start(directory: Path, program: str) -> Start:
    return Start(directory / "config", "user", (sys.executable, "-c", program), {"PATH": "/bin"}, directory)


def test_a_server_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(HostUnfit, match="does not speak MCP") as failed:
        check("codex", _start(tmp_path, "raise SystemExit('no module called pyro')"))
    assert "no module called pyro" in (failed.value.details or "")


def test_a_server_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_START_SECONDS", 0.3)
    with pytest.raises(HostUnfit) as failed:
        check("codex", _start(tmp_path, "import sys; sys.stdin.read()"))
    assert "did not answer within" in (failed.value.details or "")
