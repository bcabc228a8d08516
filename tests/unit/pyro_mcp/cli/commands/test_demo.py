import pytest
from tests.doors import MemoryEngine, finished
from tests.unit.pyro_mcp.cli.conftest import UseEngine

from pyro_mcp.cli.commands.demo import stops
from pyro_mcp.cli.main import run_cli


def test_a_tour_whose_steps_do_not_hold_says_so_and_fails(
    use_engine: UseEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = use_engine(MemoryEngine(finished(1), chunks=[("stdout", b"the same\n")]))
    assert run_cli(["demo"]) == 1
    assert "0 of 5 steps held" in capsys.readouterr().out
    assert len(engine.requests) == sum(stop.machines for stop in stops())
