"""What the answers about real commands say beside their output, so that a model does not draw the wrong conclusion."""

from pathlib import Path

import pytest
from tests.chat_host import Told, play, tidied
from tests.ladder import DEBIAN

from pyro_mcp.environments.values import Environment

__all__ = ["tidied"]
pytestmark = pytest.mark.usefixtures("tidied")
_TICKS = "for n in 1 2 3 4 5 6; do echo tick $n; sleep 1; done"


def test_a_command_tells_what_it_was_refused_and_what_ended_with_it(
    environment: Environment, home: Path, tmp_path: Path
) -> None:
    async def scenario(client: Told) -> None:
        await client.use("workspace_create", environment=DEBIAN, name="walled")
        exec_ = {"workspace": "walled"}
        facts, text = await client.use(
            "workspace_exec", **exec_, command="curl -sS https://pypi.org | tail -1"
        )
        assert (facts["exit_code"], facts["no_network"]) == (0, True)
        assert text.count("No network here: use what is installed.") == 1
        facts, text = await client.use(
            "workspace_exec", **exec_, command="true"
        )  # what was before is not its own
        assert "network" not in text.lower()
        facts, text = await client.use("workspace_exec", **exec_, command="sleep 99 & echo started")
        assert (facts["stdout"], facts["left_running"]) == ("started\n", True)
        assert "What it had left running was ended with it. service_start" in text
        command = [
            "python3",
            "-c",
            "import multiprocessing as m; p = m.Process(target=print); p.start(); p.join()",
        ]
        facts, _ = await client.use("workspace_exec", **exec_, command=command)
        assert not facts.get("left_running")
        misread = {"source x": "write `. FILE`", "cat <(echo a)": '["bash", "-c"', "nosuch": "may lack"}
        for words, hint in misread.items():
            _, text = await client.use("workspace_exec", **exec_, command=words)
            assert hint in text.splitlines()[-1]
            assert ("may lack" in text) == (hint == "may lack")
        rules = {"network_policy": "egress", "allow_hosts": ["pypi.org"]}
        _, text = await client.use("workspace_create", environment=DEBIAN, name="picky", **rules)
        assert "network egress, only to pypi.org" in text
        facts, text = await client.use(
            "workspace_exec", workspace="picky", command="curl -sS https://example.com; true"
        )
        assert "network: refused example.com (no rule names it)" in text
        assert [item["host"] for item in facts["network"]] == ["example.com"]
        _, text = await client.use("vm_run", environment=DEBIAN, command="curl -sS https://pypi.org")
        assert "No network here" in text
        for name in ("walled", "picky"):
            await client.use("workspace_delete", workspace=name)

    play(home, ["--profile", "workspace-full", "--host-root", str(tmp_path)], scenario)


def test_in_a_narrow_profile_nothing_is_said_of_what_it_keeps_out(
    environment: Environment, home: Path, tmp_path: Path
) -> None:
    async def scenario(client: Told) -> None:
        await client.use("workspace_create", environment=DEBIAN, name="narrow")
        facts, text = await client.use(
            "workspace_exec", workspace="narrow", command="curl -sS https://pypi.org"
        )
        assert text.endswith("No network here: use what is installed.")
        assert "network" not in facts
        facts, text = await client.use("workspace_logs", workspace="narrow")
        assert {event["kind"] for event in facts["events"]} == {"create", "exec"}
        assert "policy_denied" not in text
        await client.use("workspace_delete", workspace="narrow")

    play(home, ["--profile", "workspace-core", "--host-root", str(tmp_path)], scenario)


def test_a_command_that_goes_on_is_told_piece_by_piece_and_tests_before_an_edit_are_stale(
    environment: Environment, home: Path, tmp_path: Path
) -> None:
    async def scenario(client: Told) -> None:
        await client.use("workspace_create", environment=DEBIAN, name="slow")
        facts, text = await client.use(
            "workspace_exec", workspace="slow", command=_TICKS, yield_after_seconds=1.5
        )
        assert text.startswith("still running after ")
        assert facts["duration_ms"] >= 1500
        said, exec_id = [facts["stdout"]], facts["exec_id"]
        while facts["outcome"] == "running":
            facts, text = await client.use(
                "workspace_exec_wait", workspace="slow", exec_id=exec_id, wait_seconds=2
            )
            assert "only what is new since the last answer" in text
            assert facts["stdout_from"] == len("".join(said))
            said.append(facts["stdout"])
        assert "".join(said) == "".join(f"tick {number}\n" for number in range(1, 7))
        facts, _ = await client.use("workspace_exec_wait", workspace="slow", exec_id=exec_id)
        assert facts["stdout"] == "".join(said)  # whoever asks again after the end has lost it
        await client.use("workspace_exec", workspace="slow", command="echo '2 passed in 0.1s'")
        _, text = await client.use("workspace_summary", workspace="slow")
        assert "tests, one run: 2 passed, 0 failed" in text
        assert "run them again" not in text
        await client.use("workspace_file_write", workspace="slow", path="a.txt", content="a\n")
        _, text = await client.use("workspace_summary", workspace="slow")
        assert "(files changed since: run them again)" in text
        await client.use("workspace_delete", workspace="slow")

    play(home, ["--profile", "workspace-core", "--host-root", str(tmp_path)], scenario)
