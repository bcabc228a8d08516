"""Every tool through the official client, over standard input and output, on one real machine."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import jsonschema
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    BlobResourceContents,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)
from tests.ladder import DEBIAN
from tests.remains import Process, keeper_of, processes_of

from pyro_mcp import Pyro
from pyro_mcp.environments.values import Environment
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.mcp_server.calls import ERROR

_PROGRAM = str(Path(sys.executable).with_name("pyro"))
_BINARY = bytes(range(256))


class Told:
    """A client that holds each answer against the tool's output schema, and remembers which tools it called."""

    def __init__(self, client: Client, schemas: Mapping[str, Any]) -> None:
        self.client = client
        self.schemas = schemas
        self.called: set[str] = set()

    async def use(self, tool: str, **arguments: object) -> tuple[dict[str, Any], str]:
        """The structured content and the text of an answer that is no error."""
        answer = await self.client.call_tool(tool, arguments)
        self.called.add(tool)
        assert isinstance(answer.content[0], TextContent)
        text = answer.content[0].text
        assert not answer.is_error, text
        assert 0 < len(text) < 32_000
        jsonschema.validate(answer.structured_content, self.schemas[tool])
        print(f"\n=== {tool} {json.dumps(arguments)[:200]}\n{text}")
        return dict(answer.structured_content), text

    async def refused(self, tool: str, **arguments: object) -> tuple[str, str]:
        """The code and the text of an answer that is one."""
        answer = await self.client.call_tool(tool, arguments)
        assert answer.is_error
        assert isinstance(answer.content[0], TextContent)
        print(f"\n=== {tool} {json.dumps(arguments)[:200]}\n{answer.content[0].text}")
        return (answer.meta or {})[ERROR]["code"], answer.content[0].text


def _server(home: Path, *options: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=_PROGRAM, args=["mcp", "serve", *options], env={"PYRO_HOME": str(home)}
    )


def _play(home: Path, options: Sequence[str], scenario: Callable[[Told], Awaitable[None]]) -> None:
    async def main() -> None:
        async with Client(stdio_client(_server(home, *options))) as client:
            tools = (await client.list_tools()).tools
            await scenario(Told(client, {tool.name: tool.output_schema for tool in tools}))

    anyio.run(main)


@pytest.fixture(autouse=True)
def _tidied(home: Path) -> Iterator[None]:
    """A test that fails half-way leaves its workspace to nobody."""
    yield
    workspaces = Pyro().workspace
    for item in workspaces.list():
        workspaces.delete(item.workspace_id)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What callers may name: a small project, and a link out of it."""
    place = tmp_path / "project"
    (place / "src").mkdir(parents=True)
    (place / "src/app.py").write_text("def total(a, b):\n    return a - b\n")
    (place / "check.sh").write_text("cd src && python3 -B -c 'import app; assert app.total(2, 3) == 5'\n")
    (place / "data.bin").write_bytes(_BINARY)
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

    _play(home, ["--profile", "workspace-full", "--host-root", str(project)], scenario)


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
    await _resources(client.client, client)
    await client.use("workspace_delete", workspace="tour")
    code, _ = await client.refused("workspace_status", workspace="tour")
    assert code == "not_found"


async def _resources(client: Client, told: Told) -> None:
    listed = [item.uri for item in (await client.list_resources()).resources]
    assert listed == [
        "pyro://workspaces",
        *(f"pyro://workspaces/tour{end}" for end in ("", "/diff", "/logs")),
    ]
    for uri in listed:
        contents = (await client.read_resource(uri)).contents[0]
        assert isinstance(contents, TextResourceContents)
        assert len(contents.text) < 33_000
        if not uri.endswith("diff"):
            assert contents.mime_type == "application/json"
            json.loads(contents.text)
    await told.use("workspace_file_write", workspace="tour", path="new.txt", content="new\n")
    diff = (await client.read_resource("pyro://workspaces/tour/diff")).contents[0]
    assert (diff.mime_type, "+new" in getattr(diff, "text", "")) == ("text/x-diff", True)
    source = (await client.read_resource("pyro://workspaces/tour/files/src/app.py")).contents[0]
    assert isinstance(source, TextResourceContents)
    assert (source.mime_type, source.text.startswith("def total")) == ("text/x-python", True)
    encoded = (await client.read_resource("pyro://workspaces/tour/files/src%2Fapp.py")).contents[0]
    assert isinstance(encoded, TextResourceContents)
    assert encoded.text == source.text
    blob = (await client.read_resource("pyro://workspaces/tour/files/data.bin")).contents[0]
    assert isinstance(blob, BlobResourceContents)
    assert (blob.mime_type, blob.blob) == ("application/octet-stream", b64encode(_BINARY).decode())
    for uri in (
        "pyro://workspaces/nobody",
        "pyro://workspaces/tour/files/nothing",
        "pyro://x",
        "file:///etc",
    ):
        with pytest.raises(MCPError):
            await client.read_resource(uri)
    names = ResourceTemplateReference(type="ref/resource", uri="pyro://workspaces/{name}")
    found = await client.complete(names, {"name": "name", "value": "to"})
    assert found.completion.values == ["tour"]
    prompt = PromptReference(type="ref/prompt", name="repro-and-fix")
    found = await client.complete(prompt, {"name": "environment", "value": "debian:12-b"})
    assert found.completion.values == ["debian:12-base", "debian:12-build"]


# A chat host of a few lines, to be killed.
_DOOMED = """
import sys
import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    program, home, environment = sys.argv[1:]
    arguments = ["mcp", "serve", "--profile", "workspace-core"]
    server = StdioServerParameters(command=program, args=arguments, env={"PYRO_HOME": home})
    async with Client(stdio_client(server)) as client:
        await client.call_tool("workspace_create", {"environment": environment, "name": "lasting"})
        print("calling", flush=True)
        command = "echo begun; until [ -e /tmp/go ]; do sleep 0.1; done; echo done; exit 7"
        await client.call_tool("workspace_exec", {"workspace": "lasting", "command": command})

anyio.run(main)
"""


def test_a_command_outlives_a_host_that_is_killed(environment: Environment, home: Path) -> None:
    host = subprocess.Popen(
        [sys.executable, "-c", _DOOMED, _PROGRAM, str(home), DEBIAN], stdout=subprocess.PIPE, text=True
    )
    with host:
        assert host.stdout is not None
        assert host.stdout.readline() == "calling\n"
        wait_until(lambda: Pyro().workspace.status("lasting").running, what="the command to run", timeout=30)
        host.kill()
    wait_until(lambda: not _servers(home), what="the server to end", timeout=30)
    assert keeper_of(home) is not None

    async def scenario(session: Told) -> None:
        facts, _ = await session.use("workspace_list")
        assert [item["name"] for item in facts["workspaces"]] == ["lasting"]
        facts, _ = await session.use("workspace_status", workspace="lasting")
        (exec_id,) = facts["running"]
        await session.use("workspace_file_write", workspace="lasting", path="/tmp/go", content="")
        facts, _ = await session.use("workspace_exec_wait", workspace="lasting", exec_id=exec_id)
        assert (facts["outcome"], facts["exit_code"], facts["stdout"]) == ("finished", 7, "begun\ndone\n")
        await session.use("workspace_delete", workspace="lasting")

    _play(home, ["--profile", "workspace-core"], scenario)


def test_a_cancelled_call_stops_its_command_and_a_cancelled_wait_does_not(
    environment: Environment, home: Path
) -> None:
    async def scenario(session: Told) -> None:
        await session.use("workspace_create", environment=DEBIAN, name="busy")
        workspace = Pyro().workspace

        async def cancelled(tool: str, **arguments: object) -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(session.client.call_tool, tool, {"workspace": "busy", **arguments})
                await _until(lambda: bool(workspace.status("busy").running))
                tasks.cancel_scope.cancel()

        await cancelled("workspace_exec", command="sleep 1001")
        await _until(lambda: not workspace.status("busy").running)
        facts, _ = await session.use(
            "workspace_exec", workspace="busy", command="pgrep -f [1]001 || echo none"
        )
        assert facts["stdout"] == "none\n"
        facts, _ = await session.use(
            "workspace_exec", workspace="busy", command="sleep 1002", yield_after_seconds=0.1
        )
        await cancelled("workspace_exec_wait", exec_id=facts["exec_id"], wait_seconds=600)
        again, _ = await session.use(
            "workspace_exec_wait", workspace="busy", exec_id=facts["exec_id"], wait_seconds=0
        )
        assert again["outcome"] == "running"
        await session.use("workspace_delete", workspace="busy")

    _play(home, ["--profile", "workspace-core"], scenario)


def test_fifty_megabytes_in_one_argument_arrive(environment: Environment, home: Path) -> None:
    async def scenario(session: Told) -> None:
        await session.use("workspace_create", environment=DEBIAN, name="large")
        content = "0123456789abcde\n" * (50 * 65536)
        answer = await session.client.call_tool(
            "workspace_file_write", {"workspace": "large", "path": "large.txt", "content": content}
        )
        assert not answer.is_error
        assert answer.structured_content["size"] == 50 << 20
        facts, _ = await session.use("workspace_file_read", workspace="large", path="large.txt")
        assert facts["truncated"]
        code, _ = await session.refused("workspace_exec", workspace="large", command="x" * (50 << 20))
        assert code == "invalid_request"
        await session.use("workspace_delete", workspace="large")

    _play(home, ["--profile", "workspace-core"], scenario)


def test_a_session_over_http_runs_a_machine(environment: Environment, home: Path, tmp_path: Path) -> None:
    token = tmp_path / "token"
    arguments = ["mcp", "serve", "--transport", "http", "--port", "0", "--token-file", str(token)]
    with subprocess.Popen([_PROGRAM, *arguments], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        url = server.stderr.readline().split()[-1]
        assert server.stderr.readline() == f"pyro: the token is in {token}\n"

        async def main() -> None:
            headers = {"Authorization": f"Bearer {token.read_text().strip()}"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=60) as connection,
                Client(streamable_http_client(url, http_client=connection)) as client,
            ):
                answer = await client.call_tool("vm_run", {"environment": DEBIAN, "command": "echo here"})
                assert answer.structured_content["stdout"] == "here\n"
                answer = await client.call_tool("workspace_create", {"environment": DEBIAN, "seed_path": "."})
                assert (answer.meta or {})[ERROR]["code"] == "policy_denied"

        try:
            anyio.run(main)
        finally:
            server.terminate()


def _servers(home: Path) -> list[Process]:
    return [found for found in processes_of(home) if found.command[2:4] == ("mcp", "serve")]


async def _until(ready: Callable[[], object]) -> None:
    await anyio.to_thread.run_sync(lambda: wait_until(ready, what="the machine", timeout=20))
