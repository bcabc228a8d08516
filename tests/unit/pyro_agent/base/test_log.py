"""The console gets few, short lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyro_agent.base import log


def test_lines_are_cut_and_end_some_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    console = tmp_path / "console"
    console.touch()
    monkeypatch.setattr(log, "_said", 0)
    monkeypatch.setattr(log, "_descriptor", None)
    log.open_console(str(console))
    log.say("two\nlines \udcff")
    for _ in range(1000):
        log.say("x" * 10_000)
    lines = console.read_text().splitlines()
    assert lines[0].endswith("two | lines \\udcff")
    assert lines[-1].endswith("the agent says no more")
    assert len(lines) <= 300
    assert max(map(len, lines)) < 350


def test_without_a_console_there_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_descriptor", None)
    log.open_console("/nowhere/console")
    log.say("into the void")
