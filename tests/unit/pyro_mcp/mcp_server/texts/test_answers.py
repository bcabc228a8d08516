from tests.doors import ENVIRONMENTS, finished

from pyro_mcp.errors import NotFound
from pyro_mcp.mcp_server.texts.answers import environments_text, error_text, run_text, spelling, warnings
from pyro_mcp.mcp_server.texts.by_operation import TEXTS
from pyro_mcp.mcp_server.texts.file import push_text
from pyro_mcp.mcp_server.texts.service import logs_text
from pyro_mcp.mcp_server.texts.workspace import exec_text, output_text
from pyro_mcp.models.network import NetworkDecision
from pyro_mcp.models.push import PushReport
from pyro_mcp.models.service import ServiceLogs
from pyro_mcp.models.workspace import ExecResult, OutputText
from pyro_mcp.operations.catalogue import all_operations, operations_in
from pyro_mcp.operations.declare import Profile

_NARROW: tuple[Profile, Profile] = ("workspace-core", "vm-run")


def test_every_operation_has_its_text() -> None:
    assert set(TEXTS) == {operation.name for operation in all_operations()}


def test_a_push_tells_what_stayed_and_what_was_lost() -> None:
    done = PushReport(
        source="/src",
        dest="/workspace",
        changed=2,
        removed=0,
        unchanged=5,
        bytes=9,
        kept=("a.py",),
        kept_count=1,
        overwritten=("b.py",),
        overwritten_count=1,
    )
    assert push_text(done).splitlines() == [
        "2 written, 0 removed, 5 unchanged: /src to /workspace",
        "1 kept, changed only in the workspace: a.py",
        "1 changed in the workspace and now replaced: b.py",
    ]


def test_a_run_tells_its_ending_first_and_both_streams_apart() -> None:
    text = run_text(finished(7, stdout="out\n", stderr="err\n"))
    assert text.splitlines() == [
        "exit_code 7 after 0.42 s in debian:12 (isolation emulated, confinement full)",
        "--- stdout",
        "out",
        "--- stderr",
        "err",
    ]


def test_silence_is_said() -> None:
    assert run_text(finished()).endswith("(no output)")


def test_the_next_useful_step_stands_last() -> None:
    assert "timeout_seconds" in run_text(finished(None, outcome="timed_out")).splitlines()[-1]
    assert "tail or grep" in run_text(finished(stdout="x", stdout_truncated=True)).splitlines()[-1]
    assert "may lack the program" in run_text(finished(127)).splitlines()[-1]
    assert "ended by signal 9" in run_text(finished(None, signal=9))


def test_environments_are_a_line_each() -> None:
    first, second, last = environments_text(ENVIRONMENTS).splitlines()
    assert first == "debian:12 (available): Debian 12"
    assert "not pulled" in second
    assert "built when it is first used" in last


def test_an_error_has_code_and_hint() -> None:
    assert (
        error_text(NotFound("no x", hint="Look at the list.")) == "not_found: no x\nhint: Look at the list."
    )


def test_only_emulation_without_full_confinement_warns() -> None:
    assert warnings("hardware", "none") == warnings("emulated", "full") == warnings(None, None) == []
    assert "no boundary" in warnings("emulated", "partial")[0]
    assert "WARNING" in run_text(finished(0, confinement="none"))
    assert "WARNING" not in run_text(finished(0))


def test_a_hint_sends_a_model_to_tools_and_a_person_to_commands() -> None:
    error = NotFound(
        "x", hint="`<<workspace_list>>` shows them. Or give <<overwrite=true>>; `pyro doctor` tells why."
    )
    core, run = (spelling(item.name for item in operations_in(profile)) for profile in _NARROW)
    assert (
        error.hint_for(core)
        == "`workspace_list` shows them. Or give overwrite=true; `pyro doctor` tells why."
    )
    assert error.hint_for(run) == "Or give overwrite=true; `pyro doctor` tells why."
    assert error.hint == error.hint_for(core)
    assert NotFound("x", hint="`<<workspace_list>>` shows them.").hint_for(run) == NotFound.usual_hint
    near = NotFound("x", hint="Did you mean debian:12? `<<workspace_list>>` shows them all.")
    assert near.hint_for(run) == "Did you mean debian:12?"


def test_what_a_machine_was_refused_is_told_once_and_in_words_of_the_profile() -> None:
    refused = NetworkDecision(outcome="refused", host="pypi.org", reason="no rule names it")
    assert run_text(finished(1, network=(refused,)), wide=True).endswith(
        "network: refused pypi.org (no rule names it)"
    )
    without = finished(1, network=(refused, refused), no_network=True)
    assert run_text(without, wide=True).count("network_policy egress") == 1
    narrow = run_text(without)
    assert narrow.endswith("\nNo network here: use what is installed.")
    assert "refused" not in narrow


def test_what_a_command_left_running_is_told() -> None:
    assert run_text(finished(left_running=True)).endswith("What it had left running was ended with it.")
    assert "service_start" in run_text(finished(left_running=True), wide=True)


def test_what_a_terminal_would_act_on_is_not_in_the_text() -> None:
    wrote = "\x1b[2J10%\r20%\x07\0\n"
    assert run_text(finished(stdout=wrote)).endswith("--- stdout\n20%")
    ran = ExecResult(
        outcome="finished", exit_code=0, stderr=wrote, duration_ms=1, exec_id="out-1", output_id="out-1"
    )
    assert exec_text(ran).endswith("--- stderr\n20%")
    assert ran.stderr == wrote
    part = OutputText(output_id="out-1", stream="stdout", text=wrote, offset=0, next_offset=None, size=9)
    assert output_text(part).endswith("\n20%")
    logs = ServiceLogs(service="web", text=wrote, cursor=0, next_cursor=9, size=9)
    assert logs_text(logs).startswith("20%\n---")
