from tests.doors import ENVIRONMENTS, finished

from pyro_mcp.errors import NotFound
from pyro_mcp.mcp_server.texts.answers import environments_text, error_text, run_text, warnings, with_tools
from pyro_mcp.mcp_server.texts.by_operation import TEXTS
from pyro_mcp.mcp_server.texts.file import push_text
from pyro_mcp.models.push import PushReport
from pyro_mcp.operations.catalogue import all_operations, operations_in


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
    hint = "`pyro workspace list` shows them; `pyro doctor` tells why."
    assert (
        with_tools(hint, operations_in("workspace-core"))
        == "`workspace_list` shows them; `pyro doctor` tells why."
    )
    assert with_tools(hint, operations_in("vm-run")) == hint
    assert with_tools("See them with: pyro workspace list", operations_in("workspace-core")).endswith(
        " workspace_list"
    )
    assert (
        with_tools("pyro run is no pyro run of yours", operations_in("vm-run"))
        == "pyro run is no pyro run of yours"
    )
