"""What a machine reaches and what it does not, by real programs in it; the servers are on the host's loopback."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.opened import Opened, outliving
from tests.servers import hello, redirecting, serving, sized

from pyro_mcp.environments.values import Environment
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.models.events import WorkspaceEvent
from pyro_mcp.models.network import NetworkPolicy
from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.exec import ExecRequest, exec_command
from pyro_mcp.workspaces.history.logs import workspace_logs
from pyro_mcp.workspaces.lifecycle import CreateRequest, create_workspace, delete_workspace
from pyro_mcp.workspaces.machines.network import network_settings

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


_TRIES = r"""
import socket, struct, sys
own, canary = sys.argv[1], int(sys.argv[2])

def tcp(address, port):
    try:
        line = socket.create_connection((address, port), timeout=5)
        line.settimeout(5)
        line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        print("ANSWERED" if line.recv(100) else "closed", address)
    except OSError as error:
        print(type(error).__name__, address)

for address in ("host.pyro.internal", own, "10.0.2.2", "192.168.0.1", "172.17.0.1", "169.254.169.254", "0.0.0.0.nip.io",
                "::ffff:10.0.2.2", "fd00::2", "64:ff9b::7f00:1", "198.18.77.7"):
    tcp(address, canary)
for family, address in ((socket.AF_INET, "8.8.8.8"), (socket.AF_INET6, "2001:4860:4860::8888")):
    with socket.socket(family, socket.SOCK_DGRAM) as line:
        line.settimeout(5)
        line.connect((address, 123))
        line.send(b"x" * 48)
        try:
            print("ANSWERED", line.recv(100))
        except OSError as error:
            print("TimeoutError" if isinstance(error, TimeoutError) else "told", address)
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as line:
    line.sendto(b"\x08\0\xf7\xff\0\0\0\0", ("9.9.9.9", 0))
with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as line:
    packet = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 24, 0, 0, 64, 47, 0, socket.inet_aton(own), socket.inet_aton("1.1.1.1"))
    line.sendto(packet + b"GRE!", ("dummy0", 0x0800))
"""


def test_root_in_a_guest_gets_nowhere_that_no_rule_names_and_every_try_is_told(
    environment: Environment,
) -> None:
    own = _own_address()
    with serving(hello) as canary, serving(hello, own) as at_own, _opened("egress") as workspace:
        said = workspace.run(f"cat > /tmp/t.py <<'END'\n{_TRIES}\nEND\npython3 /tmp/t.py {own} {canary.port}")
        said += workspace.run(f"python3 /tmp/t.py {own} {at_own.port} | head -2")
        assert "ANSWERED" not in said
        assert "TimeoutError" not in said
        assert (canary.visits, at_own.visits) == ([], [])
        tcp = {"host.pyro.internal", own, "10.0.2.2", "192.168.0.1", "172.17.0.1", "169.254.169.254"}
        tcp |= {"fd00::2", "64:ff9b::7f00:1", "198.18.77.7"}
        others = {("8.8.8.8", 123), ("2001:4860:4860::8888", 123), ("9.9.9.9", None), ("1.1.1.1", None)}
        wanted = {*((host, canary.port) for host in tcp), *others}

        def refused() -> set[tuple[str, object]]:
            return {
                what for what, outcome in _told(_decisions(workspace)).items() if outcome == "policy_denied"
            }

        # What is no connection the agent tells a moment later.
        wait_until(lambda: wanted <= refused(), what="every try to be told", timeout=5)


def _own_address() -> str:
    """One of this host's addresses that is not its loopback's, or that where it has no other; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def test_a_flood_is_bounded_and_counted_and_the_machine_goes_on(environment: Environment) -> None:
    flood = "import socket\nfor n in range(1000):\n"
    flood += (
        "  try: socket.create_connection((f'10.0.{n % 250}.1', 1 + n % 7), 5).close()\n  except OSError: pass"
    )
    with _opened("egress") as workspace:
        workspace.run(f'python3 -c "{flood}"')
        told = [event.data for event in _decisions(workspace)]
        assert sum(int(str(data["count"])) for data in told) == 1000
        assert len(told) <= 520  # so many kinds are told apart, then summed up
        assert workspace.run("echo all is well") == "all is well\n"
