import json
import select
from collections.abc import Awaitable, Callable
from threading import Barrier, Event

import anyio
import pytest
from mcp import Client, MCPError
from mcp_types import CallToolResult, TextContent
from tests.doors import MemoryEngine, finished

from pyro_mcp import NotFound, Pyro
from pyro_mcp.host.interruption import Interruption
from pyro_mcp.mcp_server.calls import ERROR
from pyro_mcp.mcp_server.server import PyroServer
from pyro_mcp.operations.declare import Profile
from pyro_mcp.progress import step

RUN: dict[str, object] = {"environment": "debian:12", "command": "x"}


def _session(
    engine: MemoryEngine, scenario: Callable[[Client], Awaitable[None]], profile: Profile = "vm-run"
) -> None:
    async def main() -> None:
        async with Client(PyroServer(Pyro(engine=engine), profile).mcp) as client:
            await scenario(client)

    anyio.run(main)


def _text(answer: CallToolResult) -> str:
    assert isinstance(answer.content[0], TextContent)
    return answer.content[0].text


def test_an_answer_has_structured_content_and_readable_text() -> None:
    engine = MemoryEngine(finished(3), chunks=[("stdout", b"out"), ("stderr", b"err")])

    async def scenario(client: Client) -> None:
        answer = await client.call_tool("vm_run", {**RUN, "mem_mib": 512})
        assert not answer.is_error
        structured = answer.structured_content
        assert (structured["exit_code"], structured["stdout"], structured["stderr"]) == (3, "out", "err")
        assert _text(answer).startswith("exit_code 3 after")

    _session(engine, scenario)
    assert engine.requests[0].mem_mib == 512


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({**RUN, "mem_mb": 5}, "invalid_request", "Did you mean mem_mib?"),
        ({**RUN, "command": ""}, "invalid_request", "command is empty"),
        ({"environment": "debian:12"}, "invalid_request", "needs command"),
    ],
)
def test_a_wrong_call_is_a_tool_error_with_code_and_hint(
    arguments: dict[str, object], code: str, words: str
) -> None:
    engine = MemoryEngine()

    async def scenario(client: Client) -> None:
        answer = await client.call_tool("vm_run", arguments)
        assert answer.is_error
        assert (answer.meta or {})[ERROR]["code"] == code
        assert _text(answer).startswith(f"{code}: ")
        assert words in _text(answer)

    _session(engine, scenario)
    assert engine.requests == []


def test_the_engines_error_is_a_tool_error_too() -> None:
    async def scenario(client: Client) -> None:
        answer = await client.call_tool("vm_run", RUN)
        assert answer.is_error
        assert _text(answer) == "not_found: no environment is called x\nhint: Did you mean y?"

    _session(MemoryEngine(NotFound("no environment is called x", hint="Did you mean y?")), scenario)


def test_a_tool_of_another_profile_does_not_exist_here() -> None:
    async def scenario(client: Client) -> None:
        with pytest.raises(MCPError, match="no tool 'vm_list_environments' in profile vm-run"):
            await client.call_tool("vm_list_environments", {})

    _session(MemoryEngine(), scenario)


def test_lists_stand_under_their_plural() -> None:
    async def scenario(client: Client) -> None:
        answer = await client.call_tool("vm_list_environments", {})
        assert [item["name"] for item in answer.structured_content["environments"]] == [
            "debian:12",
            "debian:12-base",
        ]

    _session(MemoryEngine(), scenario, "workspace-full")


def test_a_flood_of_output_stays_within_the_answers_budget() -> None:
    chunks = [("stdout", b"x" * 65536), ("stderr", b"y" * 65536)] * 50

    async def scenario(client: Client) -> None:
        answer = await client.call_tool("vm_run", RUN)
        assert answer.structured_content["stdout_truncated"]
        assert len(_text(answer)) < 32_000
        assert len(json.dumps(answer.structured_content)) < 32_000

    _session(MemoryEngine(chunks=chunks), scenario)  # type: ignore[arg-type]


def test_one_slow_call_delays_no_other() -> None:
    slow_runs, may_end = Event(), Event()

    def meanwhile(_: Interruption | None) -> None:
        if not slow_runs.is_set():
            slow_runs.set()
            assert may_end.wait(10)

    async def scenario(client: Client) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "vm_run", RUN)
            await anyio.to_thread.run_sync(slow_runs.wait, 10)
            assert not (await client.call_tool("vm_run", RUN)).is_error
            may_end.set()

    _session(MemoryEngine(meanwhile=meanwhile), scenario)


def test_cancelling_a_call_kills_the_guests_command() -> None:
    runs, killed = Event(), Event()

    def meanwhile(interrupted: Interruption | None) -> None:
        assert interrupted is not None
        runs.set()
        with interrupted.heeded():
            assert select.select([interrupted], [], [], 10)[0]
        assert interrupted.take() == "kill"
        killed.set()

    async def scenario(client: Client) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "vm_run", RUN)
            await anyio.to_thread.run_sync(runs.wait, 10)
            tasks.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(killed.wait, 10)

    _session(MemoryEngine(meanwhile=meanwhile), scenario)


def test_progress_reaches_a_caller_that_asks_for_it() -> None:
    heard: list[str | None] = []

    def meanwhile(_: Interruption | None) -> None:
        with step("building debian:12"):
            pass

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(message)

    async def scenario(client: Client) -> None:
        await client.call_tool("vm_run", RUN, progress_callback=hear)

    _session(MemoryEngine(meanwhile=meanwhile), scenario)
    assert heard == ["building debian:12"]


def test_twenty_calls_run_side_by_side() -> None:
    together = Barrier(20)

    async def scenario(client: Client) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(client.call_tool, "vm_run", RUN)

    def meanwhile(_: Interruption | None) -> None:
        together.wait(20)

    engine = MemoryEngine(meanwhile=meanwhile)
    _session(engine, scenario)
    assert len(engine.requests) == 20


def test_when_the_host_is_gone_a_call_is_left_and_not_killed() -> None:
    wishes: list[object] = []
    runs = Event()

    def meanwhile(interrupted: Interruption | None) -> None:
        assert interrupted is not None
        runs.set()
        assert select.select([interrupted], [], [], 10)[0]
        wishes.append(interrupted.take())

    async def main() -> None:
        server = PyroServer(Pyro(engine=MemoryEngine(meanwhile=meanwhile)), "vm-run")
        async with Client(server.mcp) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "vm_run", RUN)
            await anyio.to_thread.run_sync(runs.wait, 10)
            server.leave()

    anyio.run(main)
    assert wishes == ["leave"]
