import pytest

from pyro_mcp.cli import progress
from pyro_mcp.cli.progress import Bars, shown_progress
from pyro_mcp.progress import listening, step


def test_lines_tell_steps_and_the_seconds_of_those_that_took_some(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_WORTH_TELLING_SECONDS", 0.0)
    with shown_progress(), step("building debian:12", total=3), step("unpacking"):
        pass
    assert capsys.readouterr().err.splitlines() == [
        "pyro: building debian:12",
        "pyro:   unpacking",
        "pyro:   unpacking: done after 0 s",
        "pyro: building debian:12: done after 0 s",
    ]


def test_quick_steps_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(), step("starting"):
        pass
    assert capsys.readouterr().err == "pyro: starting\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(quiet=True), step("building", total=3):
        pass
    assert capsys.readouterr().err == ""


def test_bars_show_how_far_a_step_with_a_total_is(capsys: pytest.CaptureFixture[str]) -> None:
    bars = Bars()
    with listening(bars), step("building debian:12", total=4) as building:
        building.advance(4)
    bars.close()
    shown = capsys.readouterr().err
    assert "building debian:12" in shown
    assert "100%" in shown
