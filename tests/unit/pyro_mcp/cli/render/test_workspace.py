"""What people read about workspaces leads on to the next command."""

from pyro_mcp.cli.render.workspace import exec_summary
from pyro_mcp.models.workspace import ExecResult


def test_a_command_that_goes_on_is_found_again_by_the_line_shown() -> None:
    going_on = ExecResult(
        outcome="running", exit_code=None, exec_id="out-4h7k2m9qxz", output_id="out-4h7k2m9qxz", duration_ms=5
    )
    assert exec_summary(going_on, "tidy-otter").endswith("pyro workspace exec-wait tidy-otter out-4h7k2m9qxz")
