from dataclasses import replace

from pyro_mcp.mcp_server.texts.workspace import exec_text
from pyro_mcp.models.workspace import ExecResult

GOING_ON = ExecResult(
    outcome="running",
    exit_code=None,
    stdout="tick 1\n",
    duration_ms=25_300,
    exec_id="out-4h7k2m9qxz",
    output_id="out-4h7k2m9qxz",
    stdout_bytes=7,
)


def test_a_command_that_goes_on_tells_for_how_long_it_has() -> None:
    assert exec_text(GOING_ON).startswith("still running after 25 s\n--- stdout\ntick 1\n---\nIt goes on:")


def test_a_later_answer_says_that_it_is_only_what_is_new() -> None:
    later = replace(GOING_ON, stdout="tick 2\n", stdout_from=7, stdout_bytes=14)
    first, note, *rest = exec_text(later).splitlines()
    assert first == "still running after 25 s"
    assert note == (
        "(only what is new since the last answer; workspace_output_read with output_id=out-4h7k2m9qxz has the whole)"
    )
    assert rest[:2] == ["--- stdout", "tick 2"]
    assert "(nothing new)" in exec_text(replace(later, stdout="", stdout_from=14))


def test_a_machine_that_was_started_again_has_none_of_what_ran_in_it() -> None:
    again = replace(
        GOING_ON, outcome="finished", exit_code=0, resumed=True, resumed_reason="somebody stopped it"
    )
    assert "first: somebody stopped it. Its services and shells have ended." in exec_text(again, wide=True)
    assert "first: somebody stopped it.\n" in exec_text(again)
