"""The transport on pipes of its own, with a server of the SDK's that knows `ping`, or with ours."""

import json
import os
from collections.abc import Awaitable, Callable

import anyio
import pytest
from mcp.server.lowlevel import Server
from tests.doors import MemoryEngine

from pyro_mcp import Pyro
from pyro_mcp.mcp_server import stdio
from pyro_mcp.mcp_server.server import PyroServer

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


class Host:
    """The other ends of the two pipes."""

    def __init__(self, asking: int, hearing: int) -> None:
        self._asking, self._hearing = asking, hearing
        self._heard = b""

    async def ask(self, line: bytes | object) -> None:
        text = line if isinstance(line, bytes) else json.dumps(line).encode()
        left = memoryview(text + b"\n")
        while left:
            await anyio.wait_writable(self._asking)
            left = left[os.write(self._asking, left[:4096]) :]

    async def hear(self) -> dict[str, object]:
        while b"\n" not in self._heard:
            await anyio.wait_readable(self._hearing)
            data = os.read(self._hearing, 65536)
            assert data
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        return dict(json.loads(line))

    def hang_up(self) -> None:
        os.close(self._asking)


def _served(scenario: Callable[[Host], Awaitable[None]], given: Server[object] | None = None) -> list[str]:
    """Play it against a server on descriptors 0 and 1; gives what was said at the end."""
    told: list[str] = []
    server: Server[object] = given or Server("test")

    async def main() -> None:
        async with anyio.create_task_group() as tasks:

            async def serve() -> None:
                async with stdio.served_over_stdio(lambda: told.append("end")) as (receiving, sending):
                    await server.run(receiving, sending, server.create_initialization_options())

            tasks.start_soon(serve)
            with anyio.fail_after(20):
                await scenario(host)

    (source, asking), (hearing, sink) = os.pipe(), os.pipe()
    kept = os.dup(0), os.dup(1)
    os.dup2(source, 0)
    os.dup2(sink, 1)
    host = Host(asking, hearing)
    try:
        anyio.run(main)
    finally:
        for number, saved in enumerate(kept):
            os.dup2(saved, number)
        for descriptor in (*kept, source, sink, hearing):
            os.close(descriptor)
    return told


def test_a_question_is_answered_and_the_end_is_told() -> None:
    async def scenario(host: Host) -> None:
        await host.ask(PING)
        assert await host.hear() == {"jsonrpc": "2.0", "id": 1, "result": {}}
        host.hang_up()

    assert _served(scenario) == ["end"]


def test_what_is_printed_meanwhile_is_not_in_the_protocol(capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario(host: Host) -> None:
        await host.ask(PING)
        await host.hear()
        os.write(1, b"stray\n")
        await host.ask(PING)
        assert "result" in await host.hear()
        host.hang_up()

    _served(scenario)
    assert "stray" in capfd.readouterr().err


def test_garbage_costs_an_error_and_nothing_else() -> None:
    async def scenario(host: Host) -> None:
        await host.ask(b"\x00garbage")
        assert await host.hear() == {
            "jsonrpc": "2.0",
            "id": None,
            "error": {"code": -32700, "message": "a line is not JSON"},
        }
        await host.ask({**PING, "jsonrpc": "3"})
        assert (await host.hear())["id"] == 1
        await host.ask(PING)
        assert "result" in await host.hear()
        host.hang_up()

    _served(scenario)


@pytest.mark.parametrize(
    "line", [b"garbage", json.dumps({**PING, "params": {"_meta": {"x": "y" * 4000}}}).encode()]
)
def test_a_host_that_never_reads_is_not_listened_to_for_ever_and_does_not_keep_us(line: bytes) -> None:
    asked = 0

    async def scenario(host: Host) -> None:
        nonlocal asked
        with anyio.move_on_after(2):
            while True:
                await host.ask(line.replace(b'"id": 1', b'"id": %d' % asked))
                asked += 1
        host.hang_up()

    assert _served(scenario) == ["end"]
    # Answers that fill a pipe, questions that may be open, and those in the pipe: not all that can be asked in the time.
    assert asked < 20_000


HELLO = {
    **PING,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "x", "version": "1"},
    },
}
RUN = {"name": "vm_run", "arguments": {"environment": "debian:12-base", "command": "x"}}


def test_only_a_caller_that_is_told_of_progress_waits_for_a_build() -> None:
    engine = MemoryEngine()

    async def scenario(host: Host) -> None:
        await host.ask(HELLO)
        await host.hear()
        await host.ask(
            {**PING, "id": 2, "method": "tools/call", "params": {**RUN, "_meta": {"progressToken": 5}}}
        )
        assert (await host.hear())["id"] == 2
        assert (engine.prepared, len(engine.requests)) == ([], 1)
        await host.ask({**PING, "id": 3, "method": "tools/call", "params": RUN})
        assert (await host.hear())["id"] == 3
        assert (engine.prepared, len(engine.requests)) == (["debian:12-base"], 2)
        host.hang_up()

    _served(scenario, PyroServer(Pyro(engine=engine), "vm-run").mcp)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"method": "tools/call", "params": {"name": "workspace_teleport", "arguments": {}}}, -32602),
        ({"method": "tools/call", "params": {"name": 5}}, -32602),
        ({"method": "tools/call", "params": {"name": "vm_run", "arguments": []}}, -32602),
        ({"method": "tools/call"}, -32602),
        ({"method": "no/such"}, -32601),
        ({"method": "resources/list"}, -32601),
    ],
)
def test_a_wrong_question_is_a_protocol_error(question: dict[str, object], code: int) -> None:
    async def scenario(host: Host) -> None:
        await host.ask(HELLO)
        await host.hear()
        await host.ask({**PING, "id": 2, **question})
        answer = await host.hear()
        assert (answer["id"], dict(answer["error"])["code"]) == (2, code)  # type: ignore[call-overload]
        await host.ask({**PING, "id": 3})
        assert "result" in await host.hear()
        host.hang_up()

    _served(scenario, PyroServer(Pyro(engine=MemoryEngine()), "vm-run").mcp)


def test_greeting_twice_is_answered_twice_and_a_question_before_it_refused() -> None:
    async def scenario(host: Host) -> None:
        await host.ask({**PING, "method": "tools/list"})
        assert "error" in await host.hear()
        for number in (2, 3):
            await host.ask({**HELLO, "id": number})
            assert (await host.hear())["id"] == number
        await host.ask({**PING, "id": 4, "method": "tools/list"})
        assert "result" in await host.hear()
        host.hang_up()

    _served(scenario, PyroServer(Pyro(engine=MemoryEngine()), "vm-run").mcp)
