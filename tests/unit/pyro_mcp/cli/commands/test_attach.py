"""`pyro workspace attach` without a terminal, and its place in the help."""

import pytest

from pyro_mcp.cli.main import run_cli


def test_without_a_terminal_it_says_what_scripts_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["workspace", "attach", "fix-123"]) == 2
    told = capsys.readouterr().err
    assert "attach needs a terminal" in told
    assert "pyro workspace shell open" in told


def test_it_is_listed_beside_the_operations_with_its_own_first_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_cli(["workspace", "--help"])
    listed = " ".join(capsys.readouterr().out.split())
    run_cli(["workspace", "attach", "--help"])
    line = "Attach your terminal to a workspace shell: the one named, else the newest, else a new one."
    assert f"attach {line}" in listed
    assert line in " ".join(capsys.readouterr().out.split())
