"""Connections of this host that end in the guest: whole, both ways, each end by itself, and none at another's expense."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.keeper.guest_end import GuestEnd, KeeperEnd, joined

from pyro_mcp.host.waiting import wait_until
from pyro_mcp.keeper.ports import listeners as ports_module
from pyro_mcp.keeper.ports.listeners import Ports
from pyro_mcp.keeper.ports.port import Port
from pyro_wire.faults import Fault
from pyro_wire.messages import MessageError
from pyro_wire.mux import WINDOW


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as trial:
        return int(trial.getsockname()[1])


class Published:
    """A port of this host that leads to a server of the test's, which is what the guest's loopback is here."""

    def __init__(self, keeper: KeeperEnd, guest: GuestEnd) -> None:
        self.keeper = keeper
        self.server = socket.create_server(("127.0.0.1", 0), backlog=300)
        self.server.settimeout(10)
        self.port = Port("127.0.0.1", free_port(), self.server.getsockname()[1], "web")
        self.ports = Ports(keeper.loop, keeper.board)
        assert self.ports.open_all([self.port]) is None
        keeper.run()
        self.open: list[socket.socket] = []

    def connect(self) -> socket.socket:
        return self._kept(socket.create_connection(("127.0.0.1", self.port.host_port), timeout=10))

    def accept(self) -> socket.socket:
        accepted, _ = self.server.accept()
        accepted.settimeout(10)
        return self._kept(accepted)

    def _kept(self, end: socket.socket) -> socket.socket:
        self.open.append(end)
        return end

    def close(self) -> None:
        self.keeper.stop()
        self.ports.close()
        for end in (self.server, *self.open):
            end.close()


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    with joined(tmp_path, monkeypatch) as (keeper, guest):
        made = Published(keeper, guest)
        yield made
        made.close()


def read_all(end: socket.socket) -> bytes:
    received = bytearray()
    while data := end.recv(65536):
        received += data
    return bytes(received)


def test_a_half_closed_connection_still_answers(published: Published) -> None:
    client = published.connect()
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    server = published.accept()
    assert read_all(server) == b"question"
    server.sendall(b"answer")
    server.close()
    assert read_all(client) == b"answer"


def test_the_server_may_end_first_and_still_listen(published: Published) -> None:
    client, server = published.connect(), published.accept()
    server.sendall(b"hello")
    server.shutdown(socket.SHUT_WR)
    assert read_all(client) == b"hello"
    client.sendall(b"goodbye")
    client.close()
    assert read_all(server) == b"goodbye"


def test_nobody_listens_in_the_guest(published: Published) -> None:
    published.server.close()
    with pytest.raises(ConnectionResetError):
        published.connect().recv(1)


def test_a_client_that_resets_resets_the_server(published: Published) -> None:
    client, server = published.connect(), published.accept()
    server.sendall(b"x")
    assert client.recv(1) == b"x"
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    with pytest.raises(ConnectionResetError):
        server.recv(1)


def test_a_server_that_resets_resets_the_client(published: Published) -> None:
    client, server = published.connect(), published.accept()
    client.sendall(b"x")
    assert server.recv(1) == b"x"
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.close()
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_two_hundred_at_once(published: Published) -> None:
    def serve() -> None:
        for _ in range(200):
            server = published.accept()
            threading.Thread(target=lambda end=server: end.sendall(end.recv(10) * 1000), daemon=True).start()

    acceptor = threading.Thread(target=serve)
    acceptor.start()
    clients = [published.connect() for _ in range(200)]
    for number, client in enumerate(clients):
        client.sendall(f"{number:010d}".encode())
    for number, client in enumerate(clients):
        received = b""
        while len(received) < 10_000:
            received += client.recv(65536)
        assert received == f"{number:010d}".encode() * 1000
    acceptor.join()


def test_much_goes_both_ways_at_once_and_arrives_as_it_was(published: Published) -> None:
    size, block = 16 << 20, bytes(range(256)) * 256
    wanted = hashlib.sha256(block * (size // len(block))).hexdigest()

    def send(end: socket.socket) -> None:
        for _ in range(size // len(block)):
            end.sendall(block)
        end.shutdown(socket.SHUT_WR)

    client, server = published.connect(), published.accept()
    with ThreadPoolExecutor(4) as threads:
        sending = [threads.submit(send, end) for end in (client, server)]
        received = [threads.submit(read_all, end) for end in (client, server)]
        assert [hashlib.sha256(got.result()).hexdigest() for got in received] == [wanted, wanted]
        for done in sending:
            done.result()


def _fill(end: socket.socket) -> int:
    """Send until nobody takes more."""
    end.settimeout(0.5)
    sent = 0
    try:
        while True:
            sent += end.send(bytes(65536))
    except TimeoutError:
        return sent


def test_a_client_that_does_not_read_stalls_its_own_connection_alone(published: Published) -> None:
    deaf, flooding = published.connect(), published.accept()
    held = _fill(flooding)
    assert held >= WINDOW
    assert _fill(flooding) == 0  # nothing is taken without end
    client, server = published.connect(), published.accept()
    client.sendall(b"ping")
    assert server.recv(4) == b"ping"
    server.sendall(b"pong")
    assert client.recv(4) == b"pong"
    deaf.settimeout(10)
    received = 0
    while received < held:
        received += len(deaf.recv(1 << 20))
    assert received == held


def test_a_server_that_does_not_read_stalls_its_own_connection_alone(published: Published) -> None:
    clients = [published.connect() for _ in range(8)]
    for _ in clients:
        published.accept()  # and never reads
    for client in clients:
        assert _fill(client) > 0
    client, server = published.connect(), published.accept()
    client.sendall(b"ping")
    assert server.recv(4) == b"ping"


def test_beyond_the_most_they_wait_for_their_turn(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports_module, "MOST_AT_ONCE", 2)
    first = [published.connect() for _ in range(3)]
    servers = [published.accept() for _ in range(2)]
    published.server.settimeout(0.3)
    with pytest.raises(TimeoutError):
        published.accept()
    published.server.settimeout(10)
    first[0].close()
    servers[0].close()
    published.accept()


def test_all_or_none_are_opened(published: Published) -> None:
    other = Port("127.0.0.1", free_port(), 80, "api")
    published.keeper.stop()
    fault = published.ports.open_all([other, published.port])
    assert isinstance(fault, Fault)
    assert (fault.code, fault.hint) == ("conflict", "Publish another host port; 0 lets pyro choose.")
    assert [port["host_port"] for port in published.ports.told()] == [published.port.host_port]
    socket.create_server(("127.0.0.1", other.host_port)).close()


def test_an_ipv6_address_leads_in_too(published: Published) -> None:
    published.keeper.stop()
    port = Port("::1", published.port.host_port, 80, "six")  # beside the same number of 127.0.0.1
    assert published.ports.open_all([port]) is None
    with socket.create_connection(("::1", port.host_port), timeout=5):
        assert [told["address"] for told in published.ports.told()] == ["127.0.0.1", "::1"]


def test_a_port_that_somebody_took_meanwhile_is_told_closed(published: Published) -> None:
    published.keeper.stop()
    published.ports.close()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = Port("127.0.0.1", stranger.getsockname()[1], 80, "web")
        published.ports.reopen([taken, published.port])
        told = {port["host_port"]: port["closed"] for port in published.ports.told()}
    assert told == {published.port.host_port: None, taken.host_port: f"{taken} is in use on this host"}


def test_a_closed_port_lets_nobody_in_but_who_is_in_stays(published: Published) -> None:
    client, server = published.connect(), published.accept()
    published.keeper.loop.after(0, lambda: published.ports.close_of("web"))
    client.sendall(b"x")
    assert server.recv(1) == b"x"

    def refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", published.port.host_port), timeout=5).close()
        except ConnectionRefusedError:
            return True
        return False

    wait_until(refused, what="the listener to close", timeout=5)
    client.sendall(b"y")
    assert server.recv(1) == b"y"


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "here"},
        {"host_port": 0},
        {"host_port": 65536},
        {"guest_port": "80"},
        {"service": None},
    ],
)
def test_a_port_that_is_none_is_refused(wrong: dict[str, object]) -> None:
    good = {"address": "::1", "host_port": 8080, "guest_port": 80, "service": "web"}
    assert str(Port.from_message(good)) == "[::1]:8080"
    with pytest.raises(MessageError):
        Port.from_message({**good, **wrong})
