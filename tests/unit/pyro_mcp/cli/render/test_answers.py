from dataclasses import replace
from importlib import import_module

import pytest
from tests.doors import finished

from pyro_mcp.cli.render import answers
from pyro_mcp.cli.render.answers import ending, run_summary
from pyro_mcp.cli.render.tables import size, table
from pyro_mcp.models.network import NetworkDecision
from pyro_mcp.models.run import Confinement, Isolation, RunResult


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "-"), (0, "0 B"), (999, "999 B"), (221_000_000, "221 MB"), (2_500_000_000_000, "2.5 TB")],
)
def test_sizes_for_people(count: int | None, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (finished(7), "exit status 7"),
        (finished(None, signal=9), "ended by signal 9"),
        (finished(None, outcome="timed_out"), "stopped at its time limit"),
        (finished(None, outcome="interrupted", signal=2), "interrupted"),
    ],
)
def test_endings(result: RunResult, text: str) -> None:
    assert ending(result) == text


@pytest.mark.parametrize(
    ("isolation", "confinement", "warned"),
    [("emulated", "full", False), ("emulated", "partial", True), ("hardware", "none", False)],
)
def test_what_is_no_boundary_is_said_with_every_run(
    isolation: Isolation, confinement: Confinement, warned: bool
) -> None:
    result = replace(finished(0), isolation=isolation, confinement=confinement)
    assert ("WARNING" in run_summary(result)) is warned


def test_columns_line_up_without_trailing_blanks() -> None:
    assert table(("A", "B"), [("long", ""), ("x", "y")]) == "A     B\nlong\nx     y"


def test_a_run_tells_what_its_network_refused_and_not_what_it_allowed() -> None:
    refused = NetworkDecision(
        outcome="refused", host="pypi.org", port=443, reason="it has no network", count=3
    )
    allowed = NetworkDecision(outcome="allowed", host="a.b", port=80, address="1.2.3.4")
    _, *told = run_summary(finished(network=(allowed, refused))).splitlines()
    assert told == ["pyro: network: refused pypi.org:443 3 times (it has no network)"]


@pytest.mark.parametrize("where", sorted(set(answers._RENDERERS.values())))
def test_what_shows_an_answer_is_where_it_is_said_to_be(where: str) -> None:
    module, _, function = where.partition(":")
    assert callable(getattr(import_module(f"pyro_mcp.cli.render.{module}"), function))
