"""Root in a guest against the agent: it may spoil its own work, never end its machine or the keeper's patience."""

import os
import signal
from pathlib import Path

from tests.remains import keeper_of

from pyro_mcp import Pyro, PyroError, Workspace
from pyro_mcp.environments.values import Environment

# Connections that are made and reset at once, twice as many as the line has streams for.
_FLOOD = """
import socket, struct
for n in range(2200):
    made = socket.socket()
    try:
        made.connect((f"10.0.{n % 250}.1", 1 + n % 7))
    except OSError:
        continue
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    made.close()
print("flooded")
"""


def test_connections_without_end_while_the_keeper_stands_still(environment: Environment, home: Path) -> None:
    with Pyro().workspace.create(network_policy="egress") as workspace:
        flood = workspace.exec(["python3", "-c", _FLOOD], yield_after_seconds=0.3)
        keeper = keeper_of(home)
        assert keeper is not None
        os.kill(keeper.pid, signal.SIGSTOP)
        try:
            signal.sigtimedwait((), 10)  # so long the flood meets nobody
        finally:
            os.kill(keeper.pid, signal.SIGCONT)
        done = workspace.exec_wait(flood.exec_id, wait_seconds=50)
        assert (done.outcome, done.stdout) == ("finished", "flooded\n")
        assert workspace.exec("true").resumed is False


def _refusal_of_a_snapshot(workspace: Workspace, name: str) -> str | None:
    try:
        workspace.snapshot.create(name)
    except PyroError as error:
        return error.code
    return None


def test_a_disk_that_is_thawed_in_the_middle_of_a_snapshot(environment: Environment) -> None:
    """A snapshot whose disk was not still is refused; the machine and the next snapshot are none the worse."""
    with Pyro().workspace.create() as workspace:
        thawing = "while :; do fsfreeze --unfreeze /workspace; done"
        loop = workspace.exec(thawing, yield_after_seconds=0.2)
        refusals = [_refusal_of_a_snapshot(workspace, f"disturbed-{number}") for number in range(5)]
        assert set(refusals) <= {None, "guest_failed", "conflict"}
        workspace.exec_wait(loop.exec_id, action="kill")
        workspace.file.write("kept", "yes")
        workspace.snapshot.create("undisturbed")
        workspace.file.write("kept", "no")
        workspace.reset(snapshot="undisturbed")
        assert workspace.file.read("kept").content == "yes"
