"""What a keeper is told, on its way there."""

from tests.unit.pyro_mcp.keeper.plans import a_plan

from pyro_mcp.keeper.plan import KeeperPlan


def test_a_plan_arrives_as_it_was_sent() -> None:
    assert KeeperPlan.from_json(a_plan().to_json()) == a_plan()


def test_a_plan_that_is_printed_shows_no_secret() -> None:
    assert "secret value" not in repr(a_plan())
