"""Services and published ports on a real machine: started, waited for, reached, read, stopped, and told truthfully throughout."""

import hashlib
import json
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.ladder import PyroProgram
from tests.remains import keeper_of

from pyro_mcp import (
    CommandReady,
    Conflict,
    FileReady,
    GuestFailed,
    HttpReady,
    LimitReached,
    NotFound,
    PolicyDenied,
    Pyro,
    ServiceInfo,
    TcpReady,
    Workspace,
)
from pyro_mcp.environments.values import Environment
from pyro_mcp.host.waiting import wait_until

# http.server takes 4 s to import under emulation.
_WEB = """
import socket
server = socket.create_server(("127.0.0.1", 8000))
while True:
    client, _ = server.accept()
    print(client.recv(4096).partition(b"\\r")[0].decode(), flush=True)
    client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + open("index.html", "rb").read())
    client.close()
"""
# Echoes on 9000, sends without end on 9001, never reads on 9002.
_SERVER = """
import selectors, socket, sys
echo, flood, deaf = 9000, 9001, 9002
ready, waiting = selectors.DefaultSelector(), {}
for port in (echo, flood, deaf):
    ready.register(socket.create_server(("127.0.0.1", port), backlog=300), selectors.EVENT_READ, port)
print("serving", flush=True)
while True:
    for key, possible in ready.select():
        end = key.fileobj
        if isinstance(key.data, int):
            new, _ = end.accept()
            new.setblocking(False)
            if key.data == echo:
                ready.register(new, selectors.EVENT_READ, b"")
            elif key.data == flood:
                ready.register(new, selectors.EVENT_WRITE, None)
            else:
                waiting[new] = True
            continue
        try:
            if key.data is None:
                end.send(bytes(65536))
            elif key.data:
                rest = key.data[end.send(key.data):]
                ready.modify(end, selectors.EVENT_WRITE if rest else selectors.EVENT_READ, rest)
            elif data := end.recv(262144):
                rest = data[end.send(data):]
                ready.modify(end, selectors.EVENT_WRITE if rest else selectors.EVENT_READ, rest)
            else:
                raise ConnectionResetError
        except BlockingIOError:
            if not key.data and key.data is not None:
                ready.modify(end, selectors.EVENT_WRITE, data)
        except OSError:
            ready.unregister(end)
            end.close()
"""
_TOKEN = "t0ken-of-this-test"
_ECHOED_BYTES = 12 << 20


@pytest.fixture(scope="module")
def workspace(environment: Environment) -> Iterator[Workspace]:
    """A workspace that all tests of this module share; each uses service names of its own."""
    with Pyro().workspace.create(network_policy="egress+published-ports") as made:
        made.file.write("server.py", _SERVER)
        yield made


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """The machine of this module outlives its tests: what it leaves, the other modules' tests would see."""


def _serve(workspace: Workspace, name: str) -> dict[int, int]:
    """Start the server; give its ports here by its ports there."""
    started = workspace.service.start(
        name,
        ["python3", "server.py"],
        readiness=TcpReady(9002),
        ready_timeout_seconds=60,
        published_ports=["0:9000", "0:9001", "0:9002"],
    )
    return {port.guest_port: port.host_port for port in started.published_ports}


def _send_without_end(end: socket.socket) -> None:
    while True:
        end.sendall(bytes(65536))


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def test_a_chats_story(environment: Environment) -> None:
    """Start, wait, publish, fetch, read, snapshot, break, reset: each time the truth."""
    with Pyro().workspace.create(network_policy="egress+published-ports") as ws:
        ws.file.write("index.html", "all is well\n")
        ws.file.write("web.py", _WEB)
        started = ws.service.start(
            "web",
            "exec python3 -S web.py",
            readiness=HttpReady("http://localhost:8000/index.html"),
            ready_timeout_seconds=60,
            published_ports=["0:8000"],
        )
        (port,) = started.published_ports
        url = f"http://127.0.0.1:{port.host_port}/index.html"
        assert (started.state, port.address, port.state) == ("running", "127.0.0.1", "open")
        assert urlopen(url, timeout=20).read() == b"all is well\n"
        assert "GET /index.html HTTP/1.1" in ws.service.logs("web").text
        ws.snapshot.create("works")
        ws.exec("echo broken > index.html; rm -rf /usr/share /etc")
        assert urlopen(url, timeout=20).read() == b"broken\n"
        ws.reset("works")
        (after,) = ws.service.list()
        assert (after.state, after.reason) == ("stopped", "the machine ended: it was reset")
        assert after.published_ports == (port,)  # it leads into the new machine, where nothing listens yet
        with pytest.raises(ConnectionResetError), _connect(port.host_port) as client:
            client.recv(1)
        assert "GET /index.html" in ws.service.logs("web", grep="GET /index").text
        again = ws.service.start(
            "web", "exec python3 -S web.py", readiness=TcpReady(8000), published_ports=["0:8000"]
        )
        assert again.published_ports == (port,)
        assert urlopen(url, timeout=20).read() == b"all is well\n"
        assert [file.path for file in ws.diff().files] == [
            "index.html",
            "web.py",
        ]  # and nothing of the service


def test_each_sign_of_readiness(workspace: Workspace) -> None:
    command = "sleep 0.3; echo up > /tmp/up; exec sleep 100"
    by_file = workspace.service.start(
        "by-file", command, readiness=FileReady("/tmp/up"), ready_interval_ms=50
    )
    assert by_file.state == "running"
    by_command = workspace.service.start(
        "by-command",
        "sleep 0.2; echo up > /tmp/up2; exec sleep 100",
        readiness=CommandReady("test -s /tmp/up2"),
        ready_interval_ms=50,
    )
    assert by_command.ready_at is not None
    assert {workspace.service.stop(name).state for name in ("by-file", "by-command")} == {"stopped"}


def test_one_that_dies_first_says_why_and_one_that_is_late_is_ended(workspace: Workspace) -> None:
    with pytest.raises(GuestFailed, match="exit status 3") as died:
        workspace.service.start("bad", "echo no config >&2; exit 3", readiness=TcpReady(9))
    assert died.value.details == "its last lines:\nno config"
    with pytest.raises(GuestFailed, match="exit status 127") as missing:
        workspace.service.start("typo", ["no-such-program"])
    assert "command not found" in str(missing.value.details)
    with pytest.raises(LimitReached, match=r"not ready within 0\.5 s: nothing listens on port 9"):
        workspace.service.start(
            "late", "exec flock /tmp/late sleep 77", readiness=TcpReady(9), ready_timeout_seconds=0.5
        )
    assert workspace.exec("flock -n /tmp/late true").exit_code == 0  # nothing of it holds the lock any more
    assert [
        (found.service, found.state) for found in workspace.service.list() if found.state == "failed"
    ] == [
        ("bad", "failed"),
        ("late", "failed"),
        ("typo", "failed"),
    ]
    with pytest.raises(NotFound, match="no service") as near:
        workspace.service.status("lat")
    assert near.value.hint == "Did you mean late?"


def test_stop_ends_all_it_started_also_what_left_its_group(workspace: Workspace) -> None:
    workspace.service.start(
        "family",
        "setsid sh -c 'trap \"echo child is told; exit\" TERM; while :; do sleep 0.1; done' & "
        "trap 'echo told; wait; exit 0' TERM; while :; do sleep 0.1; done",
    )
    with pytest.raises(Conflict, match="runs already"):
        workspace.service.start("family", "true")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(workspace.service.start, "slow", "exec sleep 99", readiness=TcpReady(9))
        wait_until(lambda: _stands(workspace, "slow") == "starting", what="its start", timeout=10)
        assert workspace.service.stop("slow").state == "stopped"
        with pytest.raises(Conflict, match="ended before it was ready: somebody stopped it"):
            waiting.result()
    with ThreadPoolExecutor(2) as threads:
        twins = [threads.submit(workspace.service.start, "twin", "exec sleep 99") for _ in range(2)]
        refused = [type(twin.exception()) for twin in twins if twin.exception() is not None]
    assert (refused, workspace.service.stop("twin").state) == ([Conflict], "stopped")
    stopped = workspace.service.stop("family")
    assert (stopped.state, stopped.reason) == ("stopped", "somebody stopped it")
    assert "told\n" in workspace.service.logs("family").text
    assert "child is told\n" in workspace.service.logs("family").text


def _stands(workspace: Workspace, name: str) -> str | None:
    return next((found.state for found in workspace.service.list() if found.service == name), None)


def test_what_is_sent_comes_back_as_it_was_and_two_hundred_are_served_at_once(workspace: Workspace) -> None:
    ports = _serve(workspace, "echo")
    data = os.urandom(1 << 20)

    def send(end: socket.socket) -> None:
        for _ in range(_ECHOED_BYTES // len(data)):
            end.sendall(data)

    with _connect(ports[9000]) as end, ThreadPoolExecutor(1) as threads:
        sending = threads.submit(send, end)
        digest, left = hashlib.sha256(), _ECHOED_BYTES
        while left and (part := end.recv(1 << 20)):
            digest.update(part)
            left -= len(part)
        sending.result()
    assert digest.hexdigest() == hashlib.sha256(data * (_ECHOED_BYTES // len(data))).hexdigest()
    many = [_connect(ports[9000]) for _ in range(200)]
    try:
        for number, end in enumerate(many):
            end.sendall(b"%05d" % number)
        assert [end.recv(5) for end in many] == [b"%05d" % number for number in range(200)]
    finally:
        for end in many:
            end.close()
        workspace.service.stop("echo")


def test_connections_that_flood_or_stall_hurt_nobody_else(workspace: Workspace, home: Path) -> None:
    ports = _serve(workspace, "hostile")
    held: list[socket.socket] = []
    try:
        for _ in range(40):
            held.append(_connect(ports[9001]))  # whoever is flooded does not read
            deaf = _connect(ports[9002])
            deaf.settimeout(0.05)
            held.append(deaf)
            with pytest.raises(TimeoutError):
                _send_without_end(deaf)
        assert workspace.exec("echo well", timeout_seconds=20).stdout == "well\n"
        with _connect(ports[9000]) as end:
            end.sendall(b"ping")
            assert end.recv(4) == b"ping"
        keeper = keeper_of(home)
        assert keeper is not None
        assert keeper.peak_mib() < 96  # a window each for those that do not read
    finally:
        for end in held:
            end.close()
        workspace.service.stop("hostile")


def test_a_killed_keeper_leaves_no_listener_and_no_claim(environment: Environment, home: Path) -> None:
    with Pyro().workspace.create(network_policy="egress+published-ports") as ws:
        started = ws.service.start("idle", "sleep 1000", published_ports=["0:80"], ready_interval_ms=10)
        (port,) = started.published_ports
        before = {keeper.pid for keeper in [keeper_of(home)] if keeper}
        keeper = _keeper_with(ws.info.workspace_id)
        os.kill(keeper, signal.SIGKILL)
        assert before
        wait_until(lambda: ws.status().state == "stopped", what="its machine's end to be noticed", timeout=15)
        (told,) = ws.service.list()
        assert (told.state, told.published_ports[0].state) == ("stopped", "closed")
        assert "killed" in str(told.reason)
        with pytest.raises(ConnectionRefusedError):
            _connect(port.host_port)
        assert ws.exec("true").resumed
        (told,) = ws.service.list()
        assert (told.state, told.published_ports) == ("stopped", (port,))
        assert ws.service.stop("idle").published_ports == ()
        with pytest.raises(ConnectionRefusedError):
            _connect(port.host_port)


def _keeper_with(workspace_id: str) -> int:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if workspace_id.encode() in words and any(word.endswith(b"keeper/__main__.py") for word in words):
                return int(entry.name)
    raise AssertionError("no keeper")


def test_without_the_policy_nothing_is_published_and_a_secret_is_told_to_its_service_alone(
    environment: Environment,
) -> None:
    with Pyro().workspace.create(network_policy="egress", secrets={"TOKEN": _TOKEN}) as ws:
        with pytest.raises(PolicyDenied, match="egress, allows no published ports") as denied:
            ws.service.start("web", "sleep 900", published_ports=["0:80"])
        assert "egress+published-ports" in str(denied.value.hint)
        assert ws.service.list() == []
        command = f"echo it is $TOKEN, {_TOKEN}; test $TOKEN = {_TOKEN} && sleep 9"
        started = ws.service.start("web", command, secret_env={"TOKEN": "TOKEN"})
        assert (started.state, _TOKEN in str(started)) == ("running", False)
        assert ws.service.logs("web").text == "it is [redacted:TOKEN], [redacted:TOKEN]\n"
        with pytest.raises(GuestFailed) as died:
            ws.service.start(
                "bad", "echo $TOKEN; exit 1", secret_env={"TOKEN": "TOKEN"}, readiness=TcpReady(9)
            )
        assert _TOKEN not in str(died.value)


def test_a_service_keeps_its_workspace_from_being_idle(environment: Environment) -> None:
    with Pyro().workspace.create(idle_stop_seconds=1) as ws:
        ws.service.start("short", "sleep 2.5", ready_interval_ms=10)
        wait_until(lambda: ws.status().state == "stopped", what="the idle stop", timeout=30)
        (told,) = ws.service.list()
        assert (told.state, told.reason) == ("exited", "exit status 0")  # it was not cut off by the stop
        assert ws.status().state_reason is not None


def test_a_stop_lets_services_end_and_the_truth_is_told_of_each(environment: Environment) -> None:
    with Pyro().workspace.create() as ws:
        ws.service.start("careful", "trap 'echo closed > saved; exit 0' TERM; while :; do sleep 0.1; done")
        ws.service.start("over", "sleep 0.6", ready_interval_ms=10)
        wait_until(lambda: _stands(ws, "over") == "exited", what="its end", timeout=20)
        shell = ws.shell.open().shell_id
        assert (ws.status().services, ws.status().shells) == (("careful",), (shell,))
        ws.stop()
        assert (ws.status().services, ws.status().shells) == ((), ())
        told = {info.service: (info.state, info.reason) for info in ws.service.list()}
        assert told == {
            "careful": ("stopped", "the machine ended: somebody stopped it"),
            "over": ("exited", "exit status 0"),
        }
        assert ws.service.status("careful").exit_code == 0
        assert ws.exec("cat saved").stdout == "closed\n"  # which starts the machine, and no service
        assert {info.state for info in ws.service.list()} == {"stopped", "exited"}


def test_nothing_begins_while_services_take_their_time_to_end(environment: Environment) -> None:
    with Pyro().workspace.create() as ws:
        ws.service.start("slow", "trap 'echo told; sleep 3; exit 0' TERM; while :; do sleep 0.1; done")
        with ThreadPoolExecutor(1) as thread:
            stopping = thread.submit(ws.stop)
            wait_until(lambda: "told" in ws.service.logs("slow").text, what="the word to end", timeout=20)
            with pytest.raises(Conflict, match="is being stopped"):
                ws.file.write("late", "x")
            with pytest.raises(Conflict, match="is being stopped"):
                ws.exec("true")
            assert ws.file.list().entries == ()  # who only looks may
            stopping.result()
        again = ws.exec("echo again")
        assert (again.stdout, again.resumed) == ("again\n", True)


def test_on_the_command_line(workspace: Workspace, pyro: PyroProgram) -> None:
    name = workspace.info.workspace_id
    options = ["--ready-command", "true", "--publish", "0:80", "--json", "-q"]
    done = pyro(
        "workspace", "service", "start", name, "cli", *options, "--", "sh", "-c", "echo hi; exec sleep 900"
    )
    started = json.loads(done.stdout)
    assert (started["state"], started["command"]) == ("running", ["sh", "-c", "echo hi; exec sleep 900"])
    port = started["published_ports"][0]["host_port"]
    listed = pyro("workspace", "service", "list", name).stdout.decode()
    assert f"127.0.0.1:{port} -> 80" in listed
    assert pyro("workspace", "service", "logs", name, "cli", "--tail-lines", "1").stdout == b"hi\n"
    taken = pyro("workspace", "service", "start", name, "two", "--publish", f"{port}:80", "--", "sleep", "9")
    assert taken.returncode == 4
    assert b"is published already by" in taken.stderr
    failed = pyro("workspace", "service", "start", name, "bad", "--", "sh", "-c", "echo why; exit 1")
    assert (failed.returncode, b"  why\n" in failed.stderr) == (6, True)
    with pyro.start(
        "workspace", "service", "start", name, "slow2", "--ready-tcp", "9", "--", "sleep", "9"
    ) as waiting:
        wait_until(lambda: _stands(workspace, "slow2") == "starting", what="its start", timeout=20)
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=20)
    assert (waiting.returncode, _stands(workspace, "slow2")) == (6, "failed")
    assert b"it was given up before it was ready" in said
    assert pyro("workspace", "service", "stop", name, "cli", "-q").returncode == 0
    (event,) = workspace.logs(kind="service.stop", limit=1).events
    assert event.data["service"] == "cli"


def test_a_log_is_read_on_from_where_the_last_reading_ended(workspace: Workspace) -> None:
    workspace.service.start(
        "chatty", "i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo line $i; done; sleep 100"
    )
    wait_until(lambda: _has_said(workspace, "line 500"), what="its last line", timeout=20)
    tail = workspace.service.logs("chatty", tail_lines=2)
    assert tail.text == "line 499\nline 500\n"
    assert workspace.service.logs("chatty", cursor=tail.next_cursor).text == ""
    assert workspace.service.logs("chatty", cursor=0).text.startswith("line 1\nline 2\n")
    found = workspace.service.logs("chatty", grep="line 4[0-9]$")
    assert (found.matches, found.text.splitlines()[0]) == (10, "303: line 40")
    stopped: ServiceInfo = workspace.service.stop("chatty")
    assert stopped.log_bytes == tail.size


def _has_said(workspace: Workspace, line: str) -> bool:
    return line in workspace.service.logs("chatty", tail_lines=1).text
