import json

import pytest
from tests.unit.pyro_mcp.cli.conftest import Asked

from pyro_mcp.cli.main import run_cli
from pyro_mcp.models.room import PruneReport

_NOTHING = PruneReport(environments=0, seeds=0, templates=0, layers=0, freed_bytes=0)
_MUCH = PruneReport(environments=1, seeds=2, templates=0, layers=3, freed_bytes=5_000_000, left="seeds: why")


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (_NOTHING, ["there is nothing to free"]),
        (
            _MUCH,
            ["1 environment or kit image, 2 seeds, 3 stray layers, 5 MB freed", "not looked at: seeds: why"],
        ),
    ],
)
def test_it_is_told_what_came_free_and_what_was_left(
    report: PruneReport, said: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Asked(report)
    monkeypatch.setattr("pyro_mcp.cli.commands.prune.prune_all", asked)
    assert run_cli(["prune"]) == 0
    assert capsys.readouterr().out.splitlines() == said
    assert asked.options == {"everything": False}


def test_all_and_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = Asked(_MUCH)
    monkeypatch.setattr("pyro_mcp.cli.commands.prune.prune_all", asked)
    assert run_cli(["prune", "--all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seeds"] == 2
    assert asked.options == {"everything": True}


def test_an_empty_host_has_nothing_to_free(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["prune"]) == 0
    assert capsys.readouterr().out == "there is nothing to free\n"
