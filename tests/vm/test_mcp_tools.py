"""Every tool through the official client, on one real machine."""

from pathlib import Path

import pytest
from tests.chat_host import Told, play, tidied
from tests.ladder import DEBIAN
from tests.vm.mcp_resources import BINARY, look_at_resources

from pyro_mcp.environments.values import Environment

__all__ = ["tidied"]
pytestmark = pytest.mark.usefixtures("tidied")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What callers may name: a small project, and a link out of it."""
    place = tmp_path / "project"
    (place / "src").mkdir(parents=True)
    (place / "src/app.py").write_text("def total(a, b):\n    return a - b\n")
    (place / "check.sh").write_text("cd src && python3 -B -c 'import app; assert app.total(2, 3) == 5'\n")
    (place / "data.bin").write_bytes(BINARY)
    (place / "leads-out").symlink_to("/etc")
    return place


def test_every_tool_answers_as_it_says_it_does(environment: Environment, home: Path, project: Path) -> None:
    async def scenario(client: Told) -> None:
        await _workspace_tools(client, project)
        await _file_tools(client)
        await _results(client, project)
        await _terminals(client)
        await _servers_in_it(client)
        await _states(client)
        assert set(client.schemas) - client.called == set()

    play(home, ["--profile", "workspace-full", "--host-root", str(project)], scenario)


async def _workspace_tools(client: Told, project: Path) -> None:
    _, text = await client.use("vm_list_environments")
    assert DEBIAN in text
    facts, _ = await client.use("vm_run", environment=DEBIAN, command="echo $A; exit 4", env={"A": "b"})
    assert (facts["exit_code"], facts["stdout"]) == (4, "b\n")
    facts, text = await client.use("workspace_create", environment=DEBIAN, seed_path=".", name="tour")
    assert (facts["state"], "tour (" in text) == ("running", True)
    facts, _ = await client.use("workspace_list", state="running")
    assert [item["name"] for item in facts["workspaces"]] == ["tour"]
    facts, text = await client.use("workspace_exec", workspace="tour", command="sh check.sh")
    assert (facts["exit_code"], "AssertionError" in text) == (1, True)
    slow = "seq 20000; sleep 1000"
    facts, text = await client.use("workspace_exec", workspace="tour", command=slow, yield_after_seconds=0.5)
    assert facts["outcome"] == "running"
    assert f"exec_id={facts['exec_id']}" in text
    status, text = await client.use("workspace_status", workspace="tour")
    assert facts["exec_id"] in text
    assert status["running"] == [facts["exec_id"]]
    ended, _ = await client.use(
        "workspace_exec_wait", workspace="tour", exec_id=facts["exec_id"], action="kill"
    )
    assert ended["outcome"] == "killed"
    found, _ = await client.use(
        "workspace_output_read", workspace="tour", output_id=facts["output_id"], grep="^1999[0-9]$"
    )
    assert found["matches"] == 10
    changed, _ = await client.use("workspace_update", workspace="tour", labels={"job": "test"})
    assert changed["labels"] == {"job": "test"}


async def _file_tools(client: Told) -> None:
    facts, text = await client.use("workspace_file_list", workspace="tour", depth=2)
    assert "src/app.py" in text
    facts, text = await client.use("workspace_file_search", workspace="tour", pattern="a - b")
    assert facts["matches"][0]["line"] == 2
    facts, text = await client.use("workspace_file_read", workspace="tour", path="src/app.py")
    assert "     2      return a - b" in text
    edit = {"old": "a - b", "new": "a + b"}
    await client.use(
        "workspace_file_edit", workspace="tour", path="src/app.py", edits=[edit], if_match=facts["sha256"]
    )
    code, text = await client.refused(
        "workspace_file_edit", workspace="tour", path="src/app.py", edits=[edit]
    )
    assert code in ("invalid_request", "conflict", "not_found")
    await client.use("workspace_file_write", workspace="tour", path="notes/a.txt", content="one\n")
    moved, _ = await client.use("workspace_file_remove", workspace="tour", path="notes/a.txt", to="b.txt")
    assert moved["moved_to"].endswith("b.txt")
    patch = "--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-one\n+two\n"
    await client.use("workspace_patch_apply", workspace="tour", patch=patch)
    facts, _ = await client.use("workspace_exec", workspace="tour", command=["sh", "check.sh"])
    assert facts["exit_code"] == 0


async def _results(client: Told, project: Path) -> None:
    facts, text = await client.use("workspace_diff", workspace="tour")
    assert {item["path"] for item in facts["files"]} == {"src/app.py", "b.txt"}
    assert "+    return a + b" in text
    (project / "later.txt").write_text("later\n")
    await client.use("workspace_sync_push", workspace="tour", source_path=".")
    code, text = await client.refused("workspace_sync_push", workspace="tour", source_path="leads-out")
    assert (code, "--host-root" in text) == ("policy_denied", True)
    await client.use("workspace_export", workspace="tour", path="b.txt", output_path="out.txt")
    assert (project / "out.txt").read_text() == "two\n"
    code, _ = await client.refused(
        "workspace_export", workspace="tour", path="b.txt", output_path="../beside.txt"
    )
    assert code == "policy_denied"
    facts, _ = await client.use("workspace_logs", workspace="tour", kind="exec")
    assert {event["kind"] for event in facts["events"]} >= {"exec"}
    await client.use("workspace_summary", workspace="tour")
    code, text = await client.refused("workspace_compare", workspaces=["tour"])
    assert "`workspace_list` shows them" in text


async def _terminals(client: Told) -> None:
    opened, _ = await client.use("shell_open", workspace="tour")
    shell = {"workspace": "tour", "shell_id": opened["shell_id"]}
    facts, text = await client.use("shell_write", **shell, input="echo $((5 * 5))", wait_for_prompt=True)
    assert (facts["read"]["waited"], "\n25\n" in text) == ("prompt", True)
    await client.use("shell_write", **shell, input="echo $((6 * 7))")
    _, text = await client.use("shell_read", **shell, wait_for_pattern="42", timeout_seconds=10)
    assert "42" in text
    assert "\x1b" not in text
    await client.use("shell_resize", **shell, cols=80, rows=24)
    await client.use("shell_signal", **shell)
    facts, _ = await client.use("shell_list", workspace="tour")
    assert [item["shell_id"] for item in facts["shells"]] == [opened["shell_id"]]
    await client.use("shell_close", **shell)


async def _servers_in_it(client: Told) -> None:
    service = {"workspace": "tour", "service": "clock"}
    command = "echo ready > /tmp/ready; while :; do echo tick; sleep 1; done"
    await client.use("service_start", **service, command=command, readiness={"file": "/tmp/ready"})
    facts, _ = await client.use("service_list", workspace="tour")
    assert [item["service"] for item in facts["services"]] == ["clock"]
    await client.use("service_status", **service)
    _, text = await client.use("service_logs", **service)
    assert "tick" in text
    await client.use("service_stop", **service)


async def _states(client: Told) -> None:
    await client.use("snapshot_create", workspace="tour", snapshot="fixed")
    facts, _ = await client.use("snapshot_list", workspace="tour")
    assert {item["name"] for item in facts["snapshots"]} == {"baseline", "fixed"}
    facts, _ = await client.use("workspace_fork", workspace="tour", from_snapshot="fixed", names=["twin"])
    assert facts["forks"][0]["workspace"]["name"] == "twin"
    await client.use("workspace_compare", workspaces=["tour", "twin"])
    await client.use("workspace_stop", workspace="twin")
    facts, _ = await client.use("workspace_disk_list", workspace="twin", path="/workspace/src")
    assert [item["path"] for item in facts["entries"]] == ["app.py"]
    _, text = await client.use("workspace_disk_read", workspace="twin", path="b.txt")
    assert "two" in text
    await client.use("workspace_disk_export", workspace="twin", output_path="twin.qcow2", format="qcow2")
    code, _ = await client.refused("workspace_disk_list", workspace="tour")
    assert code == "conflict"
    await client.use("workspace_start", workspace="twin")
    await client.use("workspace_delete", workspace="twin")
    await client.use("workspace_reset", workspace="tour")
    facts, _ = await client.use("workspace_diff", workspace="tour", format="stat")
    assert facts["files"] == []
    await client.use("snapshot_delete", workspace="tour", snapshot="fixed")
    await look_at_resources(client)
    await client.use("workspace_delete", workspace="tour")
    code, _ = await client.refused("workspace_status", workspace="tour")
    assert code == "not_found"
