"""What a machine reaches and what it does not, by real programs in it; the servers are on the host's loopback."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.opened import Opened, outliving
from tests.servers import hello, redirecting, serving, sized

from pyro_mcp.environments.values import Environment
from pyro_mcp.models.events import WorkspaceEvent
from pyro_mcp.models.network import NetworkPolicy
from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.exec import ExecRequest, exec_command
from pyro_mcp.workspaces.lifecycle import CreateRequest, create_workspace, delete_workspace
from pyro_mcp.workspaces.logs import workspace_logs
from pyro_mcp.workspaces.network import network_settings

pytestmark = outliving
# What curl calls a connection that is reset: it depends on how far it had come.
_RESET = {7, 35, 52, 55, 56}


@contextmanager
def _opened(policy: NetworkPolicy = "off", *rules: str) -> Iterator[Opened]:
    sessions = Engine().sessions
    request = CreateRequest(network=network_settings(policy, rules, no_host_ca=True))
    found = Opened(sessions, create_workspace(sessions, request).workspace_id)
    try:
        yield found
    finally:
        delete_workspace(sessions, found.id)
        sessions.registry.close()


def _status(workspace: Opened, command: str) -> int | None:
    """The exit status of a shell command."""
    return exec_command(
        workspace.sessions, workspace.id, ExecRequest(command=command, timeout_seconds=40)
    ).exit_code


def _decisions(workspace: Opened) -> list[WorkspaceEvent]:
    logs = workspace_logs(workspace.sessions, workspace.id, limit=1000, since=None, kind="network")
    assert logs.faults == ()
    return list(logs.events)


def _told(events: list[WorkspaceEvent]) -> dict[tuple[str, object], str]:
    return {(str(event.data["host"]), event.data.get("port")): event.outcome for event in events}


def test_without_a_policy_nothing_is_reached_quickly_and_each_try_is_told(environment: Environment) -> None:
    with _opened() as workspace:
        tries = (
            "curl -sS https://pypi.org; echo $?; curl -sS http://198.51.100.9/; echo $?; "
            "curl -sS 'http://[2001:db8::9]/'; echo $?"
        )
        began = time.monotonic()
        name, *addresses = map(int, workspace.run(tries).split())
        assert name == 6  # could not resolve host
        assert _RESET.issuperset(addresses)
        assert time.monotonic() - began < 10
        assert _told(_decisions(workspace)) == {
            ("pypi.org", None): "policy_denied",
            ("198.51.100.9", 80): "policy_denied",
            ("2001:db8::9", 80): "policy_denied",
        }
        assert _decisions(workspace) == _decisions(workspace)  # each is added once


def test_what_a_rule_names_is_reached_and_nothing_beside_it(environment: Environment) -> None:
    with (
        serving(hello) as named,
        serving(hello) as other,
        serving(sized) as counting,
        serving(redirecting(f"http://host.pyro.internal:{other.port}/")) as leading,
        _opened(
            "egress", *(f"127.0.0.1:{server.port}" for server in (named, counting, leading))
        ) as workspace,
    ):
        host = "host.pyro.internal"
        assert workspace.run(f"curl -sS http://{host}:{named.port}/") == "hello\n"
        assert _status(workspace, f"curl -sS http://{host}:{other.port}/") in _RESET
        assert _status(workspace, f"curl -sSL http://{host}:{leading.port}/") in _RESET  # redirected
        send = "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); "
        send += "s.sendall(bytes(20_000_000)); s.shutdown(socket.SHUT_WR); print(s.makefile().read())"
        assert workspace.run(f"python3 -c '{send}' {host} {counting.port}").strip() == "20000000"
        assert (len(named.visits), len(other.visits), len(leading.visits)) == (1, 0, 1)
        told = _told(_decisions(workspace))
        assert told[host, named.port] == told[host, leading.port] == told[host, counting.port] == "done"
        assert told[host, other.port] == "policy_denied"
