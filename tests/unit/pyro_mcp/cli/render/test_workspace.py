"""What people read about workspaces leads on to the next command."""

from pyro_mcp.cli import derive
from pyro_mcp.cli.render.workspace import exec_summary, forks
from pyro_mcp.errors import LimitReached
from pyro_mcp.models.workspace import ExecResult, ForkOutcome


def test_a_command_that_goes_on_is_found_again_by_the_line_shown() -> None:
    going_on = ExecResult(
        outcome="running", exit_code=None, exec_id="out-4h7k2m9qxz", output_id="out-4h7k2m9qxz", duration_ms=5
    )
    assert exec_summary(going_on, "tidy-otter").endswith("pyro workspace exec-wait tidy-otter out-4h7k2m9qxz")


def test_a_fork_that_failed_says_why_and_fails_the_command() -> None:
    failed = ForkOutcome(workspace=None, error="there is no room", code="limit_reached", hint="Free some.")
    assert forks([failed]) == "not forked: there is no room\nhint: Free some."
    assert derive._status([failed]) == LimitReached.exit_status
    assert derive._status([ForkOutcome(workspace=None)]) == derive._status("anything else") == 0
