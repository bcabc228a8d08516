"""The MCP server as a chat host meets it: started, asked for its tools, and called, over standard input and output."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.figures import Book, Laps
from benchmarks.homes import DEBIAN
from pyro_mcp.host.paths import Paths

_PYRO = str(Path(sys.executable).with_name("pyro"))
_HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "1"},
}
_RUN = {"name": "vm_run", "arguments": {"environment": DEBIAN, "command": "true"}}


class Session:
    """A host of a few lines, whose own cost is next to nothing."""

    def __init__(self, profile: str) -> None:
        argv = [_PYRO, "mcp", "serve", "--profile", profile]
        self._server = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._number = 0

    def ask(self, method: str, params: object) -> dict[str, Any]:
        """Ask one question and wait for its answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._number += 1
        question = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self._server.stdin.write(json.dumps(question) + "\n")
        self._server.stdin.flush()
        answer = json.loads(self._server.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        return dict(answer["result"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, where: TracebackType | None) -> None:
        self._server.communicate(timeout=30)


def measure(book: Book, _: Paths) -> None:
    """Note how long a host waits for a server, and for a call."""
    book.group = "the MCP server"
    laps = Laps()
    for profile in ("vm-run", "workspace-core", "workspace-full"):
        for _round in range(book.runs):
            _start(laps, profile)
    with Session("workspace-core") as session:
        session.ask("initialize", _HELLO)
        session.ask("tools/call", _RUN)  # the template is there from now on
        for _round in range(book.runs):
            with laps.lap("vm_run through MCP, warm"):
                session.ask("tools/call", _RUN)
        _workspace(laps, session, book.runs)
    laps.into(book)


def _start(laps: Laps, profile: str) -> None:
    with laps.lap(f"start to tools/list answered, {profile}"):
        session = Session(profile)
        session.ask("initialize", _HELLO)
        session.ask("tools/list", {})
    with session:
        pass


def _workspace(laps: Laps, session: Session, runs: int) -> None:
    session.ask("tools/call", {"name": "workspace_create", "arguments": {"name": "bench"}})
    command = {"name": "workspace_exec", "arguments": {"workspace": "bench", "command": "true"}}
    for _round in range(runs):
        with laps.lap("workspace_exec of true"):
            session.ask("tools/call", command)
    session.ask("tools/call", {"name": "workspace_delete", "arguments": {"workspace": "bench"}})
