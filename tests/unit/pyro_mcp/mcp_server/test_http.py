"""HTTP as a client on the network has it: a real socket, the official client, an engine in memory."""

import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.doors import MemoryEngine, finished

from pyro_mcp import HostUnfit, InvalidRequest, Pyro
from pyro_mcp.mcp_server import http
from pyro_mcp.mcp_server.server import PyroServer

TOKEN = "a-token-of-some-length"
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on a port of its own, until the last test is done with it."""
    server = PyroServer(Pyro(engine=MemoryEngine(finished(3))), "vm-run", working_directory=False)
    with http.listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        app = http.guarded(server, TOKEN, "127.0.0.1", port, ["http://page.example"])
        running = http.web_server(app)
        thread = threading.Thread(target=anyio.run, args=(running.serve, [listener]))
        thread.start()
        yield f"http://127.0.0.1:{port}"
        running.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def test_a_session_runs_over_http(url: str) -> None:
    async def main() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            httpx2.AsyncClient(headers=headers) as connection,
            Client(streamable_http_client(f"{url}/mcp", http_client=connection)) as client,
        ):
            assert [tool.name for tool in (await client.list_tools()).tools] == ["vm_run"]
            answer = await client.call_tool("vm_run", {"environment": "debian:12", "command": "x"})
            assert answer.structured_content["exit_code"] == 3

    anyio.run(main)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.example"}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "null"}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "http://page.example"}, 200),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}, 421),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "127.0.0.1.evil.example:80"}, 421),
    ],
)
def test_only_whoever_has_the_token_and_is_no_foreign_page_is_served(
    url: str, headers: dict[str, str], status: int
) -> None:
    answer = httpx2.post(f"{url}/mcp", json=HELLO, headers={**ACCEPT, **headers})
    assert answer.status_code == status
    assert (status == 401) == ("www-authenticate" in answer.headers)


def test_nothing_else_is_served_either(url: str) -> None:
    for path in ("/", "/mcp/../x", "/.well-known/oauth-protected-resource"):
        assert httpx2.get(url + path).status_code == 401


def test_a_loopback_server_has_loopback_names_and_another_any() -> None:
    assert http.names("127.0.0.1", 5) == frozenset({"127.0.0.1:5", "localhost:5", "[::1]:5"})
    assert http.names("0.0.0.0", 5) is None


def test_a_port_that_is_taken_is_told(url: str) -> None:
    with pytest.raises(HostUnfit, match=r"cannot listen on 127\.0\.0\.1 port"):
        http.listening("127.0.0.1", int(url.rpartition(":")[2]))


def test_a_token_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    token, told = http.token_of(None)
    assert token in told
    place = tmp_path / "token"
    kept, told = http.token_of(str(place))
    assert re.fullmatch(r"[\w-]{43}", kept)
    assert kept not in told
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert http.token_of(str(place))[0] == kept


@pytest.mark.parametrize(
    ("content", "mode", "brief"),
    [("x" * 40, 0o644, "others can read"), ("short", 0o600, "no token"), ("", 0o600, "no token")],
)
def test_a_token_that_is_none_is_refused(tmp_path: Path, content: str, mode: int, brief: str) -> None:
    place = tmp_path / "token"
    place.write_text(content)
    place.chmod(mode)
    with pytest.raises(InvalidRequest, match=brief):
        http.token_of(str(place))


def test_a_token_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(HostUnfit, match="cannot use the token file"):
        http.token_of(str(tmp_path / "not" / "there"))
