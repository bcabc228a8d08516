import json

import pytest
from tests.doors import MemoryEngine
from tests.unit.pyro_mcp.cli.conftest import UseEngine

from pyro_mcp.cli.main import run_cli


def test_list_is_a_table_for_people(use_engine: UseEngine, capsys: pytest.CaptureFixture[str]) -> None:
    use_engine(MemoryEngine())
    assert run_cli(["env", "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "NAME            STATE       SIZE    DIGEST        WHAT IT IS",
        "debian:12       available   221 MB  9548a14187e1  Debian 12",
        "debian:12-base  not pulled  -       -             Debian 12, minimal",
    ]


def test_list_as_json_stands_under_its_plural(
    use_engine: UseEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    use_engine(MemoryEngine())
    assert run_cli(["env", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["environments"]
    assert [(item["name"], item["state"]) for item in listed] == [
        ("debian:12", "available"),
        ("debian:12-base", "not_pulled"),
    ]


@pytest.mark.parametrize("command", ["pull", "inspect"])
def test_an_unknown_environment_is_not_found_with_near_names(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["env", command, "debian:13"]) == 3
    said = capsys.readouterr().err
    assert "debian:13" in said.splitlines()[0]
    assert "debian:12" in said.splitlines()[-1]


def test_inspect_tells_what_an_environment_is_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["env", "inspect", "debian:12"]) == 0
    shown = capsys.readouterr().out
    assert "state:       not pulled" in shown
    assert "git" in shown
    assert run_cli(["env", "inspect", "debian:12", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "debian:12"


def test_prune_of_an_empty_cache_frees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["env", "prune"]) == 0
    assert capsys.readouterr().out == "there is nothing to free\n"
