"""Secret values are said and written by a guest in every way there is, and searched for in all that pyro says and writes."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import get_args

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from tests.ladder import PyroProgram
from tests.opened import git, outliving
from tests.remains import processes_of
from tests.searching import Search, answered, written_below
from tests.terminals import Terminal

from pyro_mcp import CommandReady, Edit, FileReady, Pyro, PyroError, TcpReady, Workspace
from pyro_mcp.environments.values import Environment
from pyro_mcp.host.paths import Paths
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.models.shell import ShellView

# One may be a file's name, with a character of each kind that somebody writes in another way; the other has lines.
TOKEN = "tok+3n=of~the'\"\\%ws"
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAo\n-----END KEY-----\n"
SEARCH = Search({"TOKEN": TOKEN.encode(), "KEY": KEY.encode()})
_LEAK = """
import base64, json, os, sys, time, urllib.parse
values = [open("/run/pyro-secrets/" + name).read() for name in ("TOKEN", "KEY")]
for piece in ("in pieces: ", values[0][:3], values[0][3:9], values[0][9:], "\\n"):
    os.write(1, piece.encode())
    time.sleep(0.01)
print(*values, *map(json.dumps, values), *(urllib.parse.quote(value, safe="") for value in values))
for value in map(str.encode, values):
    print(value.hex(), value.hex().upper(), value.hex(" "), value.hex(":"))
    for before in (b"", b"x", b"xy"):
        print(base64.b64encode(before + value).decode(), base64.urlsafe_b64encode(before + value).decode())
sys.stdout.flush()
print(*values, file=sys.stderr, flush=True)
"""
_SERVE = """
import socket
value = open("/run/pyro-secrets/TOKEN", "rb").read()
server = socket.create_server(("127.0.0.1", 8000))
print("serving", value, value.hex(), flush=True)
while True:
    client, _ = server.accept()
    print(client.recv(4096), flush=True)
    client.sendall(b"HTTP/1.0 404 " + value + b"\\r\\n\\r\\n" + value)
    client.close()
"""
_READ = "$(cat /run/pyro-secrets/TOKEN)"
_HEX = "$(od -An -tx1 /run/pyro-secrets/TOKEN | tr -d ' \\n')"


class Heard:
    """All that pyro said."""

    def __init__(self) -> None:
        self.said: list[bytes] = []

    def __call__(self, answer: object) -> bytes:
        """Take an answer down."""
        self.said.append(answered(answer))
        return self.said[-1]

    def refused(self, attempt: Callable[[], object]) -> bytes:
        """Take an error down: something that must not be given out, or cannot be."""
        with pytest.raises(PyroError) as error:
            attempt()
        return self((str(error.value), error.value.brief, error.value.details, error.value.hint))

    def search(self) -> None:
        told = [(SEARCH.found_in(said), said.decode(errors="replace")) for said in self.said]
        assert [(found, said) for found, said in told if found] == []


@pytest.fixture
def heard() -> Iterator[Heard]:
    found = Heard()
    yield found
    found.search()


@pytest.fixture
def workspace(environment: Environment, tmp_path: Path, heard: Heard) -> Iterator[Workspace]:
    """One that knows two secrets, seeded with a repository of two programs that tell them."""
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "leak.py").write_text(_LEAK)
    (seed / "serve.py").write_text(_SERVE)
    (tmp_path / "key.pem").write_text(KEY)
    git(seed, "init", "-q", "-b", "main")
    git(seed, "config", "user.name", "A. Host")
    git(seed, "config", "user.email", "a@example.org")
    git(seed, "add", "-A")
    git(seed, "commit", "-qm", "one")
    with Pyro().workspace.create(
        name="leaky",
        seed_path=seed,
        secrets={"TOKEN": TOKEN},
        secret_files={"KEY": tmp_path / "key.pem"},
        network_policy="egress+published-ports",
        allow_hosts=["nothing.example"],
    ) as made:
        (tmp_path / "key.pem").unlink()
        heard(made.info)
        yield made


def _search_all_files(home: Path, since: float, *, disks: bool) -> None:
    """Also what others of this user's pyro write meanwhile, which can only be more."""
    cache = Paths.from_environment().cache.resolve()
    files = [*written_below(home, disks=disks), *written_below(cache, since=since)]
    assert {"registry.sqlite", "stdout", "state.json"} <= {path.name for path in files}
    assert disks == any(path.name.endswith(".qcow2") for path in files)
    assert SEARCH.found_in_files(files) == {}
    for process in processes_of(home):
        for name in ("cmdline", "environ"):
            assert SEARCH.found_in(Path(f"/proc/{process.pid}/{name}").read_bytes()) == []


@pytest.mark.skipif("PYRO_LONG_TESTS" not in os.environ, reason="long; make smoke-secrets runs it")
@outliving
@pytest.mark.timeout(240)
def test_no_answer_and_no_file_tells(
    workspace: Workspace, heard: Heard, home: Path, tmp_path: Path, pyro: PyroProgram
) -> None:
    began = time.time() - 1
    _commands(workspace, heard, pyro)
    _terminals(workspace, heard)
    _services(workspace, heard)
    _network(workspace, heard)
    _states(workspace, heard)
    _search_all_files(home, began, disks=True)  # up to here the guest has put nothing on its own disk

    _files(workspace, heard, tmp_path, pyro)
    _looks(workspace, heard, pyro)
    anyio.run(_through_mcp, home, tmp_path, heard)
    _death(workspace, heard, home)
    workspace.stop()
    _disks(workspace, heard)
    _search_all_files(home, began, disks=False)
    found = SEARCH.found_in_files(
        written_below(home, disks=True)
    )  # what the guest put there is seen, and there alone
    assert found
    assert all(path.endswith(".qcow2") for path in found)
    logs = list(written_below(tmp_path / "logs"))
    assert {"console.log", "machine.log"} <= {path.name for path in logs}
    assert SEARCH.found_in_files(logs) == {}
    assert SEARCH.found_in_files(written_below(tmp_path)) == {}


def _commands(ws: Workspace, heard: Heard, pyro: PyroProgram) -> None:
    told = bytearray()
    done = ws.exec(
        "python3 leak.py; exit 3", secret_env={"TOKEN": "T"}, on_output=lambda _, data: told.extend(data)
    )
    assert heard(bytes(told)).count(b"[redacted:TOKEN]") > 10
    assert b"[redacted:KEY]" in told
    assert heard(ws.exec("python3 leak.py")).count(b"[redacted:TOKEN]") > 10
    heard(done)
    heard(ws.output.read(done.output_id, grep="redacted|of"))
    heard(ws.output.read(done.output_id, stream="stderr", tail_lines=2))
    going = ws.exec("python3 leak.py; exec sleep 100", yield_after_seconds=3)
    heard(going)
    heard(ws.status())
    heard(ws.exec_wait(going.exec_id, action="kill"))
    ran = pyro("workspace", "exec", "leaky", "--", "python3", "leak.py")
    heard((ran.stdout, ran.stderr))
    heard(ws.exec(["true", TOKEN, KEY]))
    heard.refused(lambda: ws.exec("true", cwd=f"/{TOKEN}"))
    ws.exec(f"mknod /dev/console c 5 1; mknod /dev/kmsg c 1 11; echo {_READ} | tee /dev/console > /dev/kmsg")


def _terminals(ws: Workspace, heard: Heard) -> None:
    """Echoed, typed at once and key by key, also where the line is broken at the edge; in every view, and attached."""
    shell = ws.shell.open(secret_env={"TOKEN": "T"}, cols=40)
    heard(shell)
    for typed in ("unset HISTFILE", "python3 leak.py", 'printf "%s\\r\\n" "$T"', f"# {TOKEN}"):
        ws.shell.write(shell.shell_id, typed)
        assert heard(ws.shell.read(shell.shell_id, wait_for_prompt=True))
    for letter in f"# 56789{TOKEN}":
        ws.shell.write(shell.shell_id, letter, append_newline=False)
        ws.shell.read(shell.shell_id, wait_for_idle_ms=60)
    for view in get_args(ShellView):
        assert b"[redacted:TOKEN]" in heard(ws.shell.read(shell.shell_id, cursor=0, view=view)), view
    heard.refused(lambda: ws.shell.read(shell.shell_id, wait_for_pattern=f"({TOKEN}(a+)+", timeout_seconds=1))
    ws.shell.write(shell.shell_id, keys=["ctrl-c"])
    heard(ws.shell.list())
    terminal = Terminal("leaky", shell.shell_id, "-q")
    try:
        terminal.until(b"# ")
        terminal.type(b"python3 leak.py\r")
        terminal.until(b"[redacted:KEY]")
        terminal.type(b"echo e''nd\r")
        terminal.until(b"end\r")
        heard(terminal.seen)
        terminal.type(b"\x10\x11")
        assert terminal.process.wait(10) == 0
    finally:
        terminal.close()
    heard(ws.shell.read(shell.shell_id, cursor=0))
    heard(ws.shell.close(shell.shell_id))


def _services(ws: Workspace, heard: Heard) -> None:
    """What one writes, what becomes of the signs that are waited for, and what a client of its port is told."""
    started = ws.service.start(
        "web",
        "exec python3 -S serve.py",
        secret_env={"TOKEN": "T"},
        readiness=TcpReady(8000),
        ready_timeout_seconds=60,
        published_ports=["0:8000"],
    )
    heard(started)
    ws.exec("python3 leak.py > /proc/1/fd/1; curl -s localhost:8000/" + _HEX)
    for lines in ({}, {"cursor": 0}, {"grep": "serving|of"}):
        assert heard(ws.service.logs("web", **lines))
    leaves = "python3 leak.py; exec sleep 100"
    for sign in (CommandReady(f"echo {_READ} {_HEX} >&2; exit 1"), FileReady(f"/tmp/{TOKEN}")):
        said = heard.refused(
            partial(
                ws.service.start,
                "late",
                leaves,
                readiness=sign,
                ready_timeout_seconds=2,
                ready_interval_ms=50,
            )
        )
        assert b"redacted" in said
    assert b"redacted" in heard.refused(
        lambda: ws.service.start("dies", "python3 leak.py; exit 1", readiness=TcpReady(9))
    )
    assert b"redacted" in heard.refused(lambda: ws.service.start("gone", "true", cwd=f"/{TOKEN}"))
    ws.service.start("chatty", leaves)
    heard(ws.service.list())
    for name in ("late", "dies", "chatty"):
        heard(ws.service.status(name))
        heard(ws.service.logs(name))
    heard(ws.service.stop("chatty"))


def _network(ws: Workspace, heard: Heard) -> None:
    """A secret as a name that is asked for is refused, and written down as one."""
    ws.exec(f"curl -s http://{_HEX}.example/ || curl -s http://{_HEX}.nothing.example || true")
    told = heard(ws.logs(kind="network"))
    assert b"[redacted:TOKEN].example" in told, told


def _states(ws: Workspace, heard: Heard) -> None:
    heard(ws.snapshot.create("one"))
    heard(ws.snapshot.list())
    for with_secrets in (False, True):
        (fork,) = ws.fork(with_secrets=with_secrets)
        assert fork.workspace is not None
        workspaces = Pyro().workspace
        if with_secrets:
            heard(workspaces.exec(fork.workspace.workspace_id, "python3 leak.py"))
            heard(workspaces.summary(fork.workspace.workspace_id))
        heard(workspaces.delete(fork.workspace.workspace_id))
    heard(ws.reset("one"))
    heard(ws.service.list())
    heard(ws.exec("python3 leak.py"))


def _looks(ws: Workspace, heard: Heard, pyro: PyroProgram) -> None:
    """What tells of the workspace without changing it, by two doors."""
    heard((ws.status(), ws.summary(), ws.logs(), Pyro().workspace.compare(["leaky", ws.info.workspace_id])))
    heard((ws.file.list(depth=3), ws.file.search("of|serving|^a"), ws.diff(format="stat")))
    heard((ws.diff(format="name-status"), ws.diff(format="stat", from_snapshot="one")))
    for words in (
        ["status"],
        ["logs"],
        ["summary"],
        ["file", "list"],
        ["service", "list"],
        ["snapshot", "list"],
    ):
        for how in ([], ["--json"]):
            ran = pyro("workspace", *words, "leaky", *how)
            heard((ran.stdout, ran.stderr))


async def _through_mcp(home: Path, tmp_path: Path, heard: Heard) -> None:
    """Structured content, texts, resources and errors, with all that the server itself writes on its standard error."""
    program = str(Path(sys.executable).with_name("pyro"))
    server = StdioServerParameters(
        command=program,
        args=["mcp", "serve", "--profile", "workspace-full", "--host-root", str(tmp_path)],
        env={"PYRO_HOME": str(home)},
    )
    with (tmp_path / "mcp-errors").open("w") as errors:
        async with Client(stdio_client(server, errlog=errors)) as client:

            async def use(tool: str, **arguments: object) -> str:
                answer = await client.call_tool(tool, {"workspace": "leaky", **arguments})
                said = answer.model_dump_json()
                heard((said, json.loads(said)))
                return said

            assert "redacted" in await use(
                "workspace_exec", command="python3 leak.py", secret_env={"TOKEN": "T"}
            )
            shell = json.loads(await use("shell_open", cols=50))["structured_content"]["shell_id"]
            await use("shell_write", shell_id=shell, input="unset HISTFILE; python3 leak.py")
            assert "redacted" in await use("shell_read", shell_id=shell, wait_for_prompt=True)
            await use("shell_close", shell_id=shell)
            await use("service_start", service="mcp", command="python3 leak.py; sleep 100")
            await use("service_logs", service="mcp", tail_lines=100)
            await use("service_start", service="bad", command="python3 leak.py; exit 1", readiness={"tcp": 9})
            await use("service_stop", service="mcp")
            await use("workspace_file_read", path=f"/{TOKEN}")
            await use("workspace_file_read", path="raw", encoding="base64")
            for tool in ("status", "summary", "logs", "diff", "file_list", "disk_list"):
                await use(f"workspace_{tool}")
            await use("workspace_file_search", pattern="of|^a")
            await use("workspace_export", output_path=str(tmp_path / "out"), overwrite=True)
            for item in ("", "/diff", "/logs", "/files/conf", "/files/raw", "/files/key.pem"):
                try:
                    resource = await client.read_resource(f"pyro://workspaces/leaky{item}")
                    heard(resource.model_dump_json())
                except MCPError as error:
                    heard(str(error))


def _files(ws: Workspace, heard: Heard, tmp_path: Path, pyro: PyroProgram) -> None:
    """Contents, names and links' targets that the guest made of them: shown redacted, or not at all."""
    ws.exec(
        f"cd /workspace; printf 'a = %s\\n' {_READ} > conf; (printf '\\0'; cat conf) > raw; cp /run/pyro-secrets/KEY key.pem"
    )
    ws.exec(
        f'cd /workspace; echo a > "{_READ}"; mkdir {_HEX}; echo a > {_HEX}/a; ln -s "{_READ}" link; echo {_HEX} > hex'
    )
    for path in ("conf", "key.pem", "hex", "link"):
        heard(ws.file.read(path))
    ws.exec(f'mkdir "/tmp/{_READ}"')
    heard(ws.exec("pwd", cwd=f"/tmp/{TOKEN}"))
    heard(ws.service.start("there", "pwd; exec sleep 100", cwd=f"/tmp/{TOKEN}"))
    shell = ws.shell.open(cwd=f"/tmp/{TOKEN}")
    heard((shell, ws.shell.list(), ws.shell.close(shell.shell_id)))
    patch = "--- a/conf\n+++ b/conf\n@@ -1,2 +1,2 @@\n-b = 1\n+b = 2\n a = 2\n"
    heard.refused(lambda: ws.patch.apply(patch))
    heard(ws.patch.apply(patch, dry_run=True))
    heard.refused(lambda: ws.file.edit("conf", [Edit("a = tik", "b")]))
    heard.refused(lambda: ws.file.read(f"{TOKEN}/a"))
    ws.snapshot.create("two")
    for attempt in (
        lambda: ws.file.read("raw", encoding="base64"),
        lambda: ws.diff(),
        lambda: ws.diff(from_snapshot="one", to_snapshot="two"),
        lambda: ws.export(format="patch", output_path=tmp_path / "never"),
        lambda: ws.export(format="branch", branch_name="never"),
        lambda: ws.export(output_path=tmp_path / "never"),
        lambda: ws.export("raw", output_path=tmp_path / "never"),
    ):
        assert b"secret" in heard.refused(attempt)
    for words in (
        ["diff", "leaky"],
        ["export", "leaky", "--output", str(tmp_path / "never")],
        ["file", "read", "leaky", TOKEN + "/a"],
    ):
        ran = pyro("workspace", *words)
        assert ran.returncode
        heard((ran.stdout, ran.stderr))
    assert not (tmp_path / "never").exists()


def _death(ws: Workspace, heard: Heard, home: Path) -> None:
    """A machine that dies while a secret is written says why it died, and nothing else."""
    going = ws.exec("while :; do python3 leak.py; done", yield_after_seconds=2)
    heard(going)
    (qemu,) = [process for process in processes_of(home) if process.is_qemu]
    os.kill(qemu.pid, signal.SIGKILL)
    wait_until(lambda: ws.status().state == "stopped", what="its machine's end to be noticed", timeout=15)
    heard(ws.exec_wait(going.exec_id))
    heard(ws.status())
    heard(ws.exec("python3 leak.py"))


def _disks(ws: Workspace, heard: Heard) -> None:
    heard(ws.disk.list(depth=3))
    for path in ("conf", "hex", "key.pem"):
        heard(ws.disk.read(path))
    heard.refused(lambda: ws.disk.read("raw"))
    heard((ws.logs(), ws.summary()))
