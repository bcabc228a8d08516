"""Services: when they are ready, how they end, and what is left to say of them."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.keeper.guest_end import GuestEnd, KeeperEnd, joined
from tests.unit.pyro_mcp.keeper.ports.test_listeners import free_port

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest, NotFound
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.waiting import wait_until
from pyro_mcp.keeper.ports.port import Port
from pyro_mcp.keeper.services import part, supervising
from pyro_mcp.keeper.services.part import Services
from pyro_mcp.redaction import Redactor
from pyro_wire.messages import Message


class Kept:
    """A keeper with services."""

    def __init__(self, keeper: KeeperEnd, guest: GuestEnd, directory: Path) -> None:
        self.keeper, self.guest, self.directory = keeper, guest, directory
        self.published = Port("127.0.0.1", free_port(), 80, "old")
        redactor = Redactor({"TOKEN": b"t0ken-of-the-test"})
        self.services = Services(keeper.loop, keeper.board, redactor, [self.published])
        keeper.run(self.services)
        self._runs = 0

    def ask(self, verb: str, **more: object) -> Message:
        with Channel(self.keeper.path) as channel:
            return channel.ask({"verb": verb, **more}, timeout=10)

    def start(self, *argv: str, name: str = "web", readiness: object = None, **more: object) -> Message:
        return self.ask("keeper.service.start", **self.request(*argv, name=name, readiness=readiness, **more))

    def request(
        self, *argv: str, name: str = "web", readiness: object = None, **more: object
    ) -> dict[str, object]:
        self._runs += 1
        return {
            "service": name,
            "run_id": f"run-{self._runs}",
            "directory": str(self.directory / f"run-{self._runs}"),
            "request": {"argv": list(argv)},
            "readiness": readiness,
            "ready_timeout_ms": 5000,
            "ready_interval_ms": 20,
            "ports": [],
            **more,
        }

    def states(self) -> dict[str, object]:
        services = self.ask("keeper.services")["services"]
        assert isinstance(services, dict)
        return {name: told["state"] for name, told in services.items()}

    def left(self, run: int) -> dict[str, object]:
        told: dict[str, object] = json.loads((self.directory / f"run-{run}" / "state.json").read_bytes())
        return told


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    with joined(tmp_path, monkeypatch) as (keeper, guest):
        made = Kept(keeper, guest, tmp_path)
        yield made
        keeper.stop()
        made.services.ended("the test is over")


def test_without_a_sign_it_is_ready_when_it_still_runs(kept: Kept) -> None:
    answer = kept.start("sleep")
    assert (answer["state"], answer["reason"]) == ("running", None)
    assert kept.left(1)["state"] == "running"
    assert kept.services.busy


def test_one_that_ends_before_it_is_ready_says_why_with_its_last_lines(kept: Kept) -> None:
    answer = kept.start("fail", readiness={"kind": "tcp", "port": free_port()})
    assert answer["state"] == "failed"
    assert answer["reason"] == "it ended before it was ready: exit status 3"
    assert (answer["exit_code"], answer["tail"]) == (3, "boom\n")
    assert kept.left(1)["state"] == "failed"
    assert not kept.services.busy


def test_a_guest_that_lies_about_the_end_is_not_quoted(kept: Kept) -> None:
    with pytest.raises(GuestFailed, match="did not say how the service ended"):
        kept.start("lie")
    assert (kept.left(1)["exit_code"], kept.left(1)["signal"]) == (None, None)


def test_at_the_machines_end_all_are_told_to_end_first(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "STOP_SECONDS", 0.2)
    kept.start("sleep", name="one")
    kept.start("stubborn", name="two")
    kept.start("done", name="three", readiness={"kind": "tcp", "port": free_port()})
    over = threading.Event()
    kept.keeper.loop.after(0, lambda: kept.services.wind_down("somebody stopped it", over.set))
    assert over.wait(20)
    assert [told["signal"] for told in kept.guest.told] == ["TERM", "TERM"]
    assert kept.states() == {"one": "stopped", "two": "stopped", "three": "failed"}
    assert kept.left(2)["reason"] == "the machine ended: somebody stopped it"
    assert (kept.left(1)["signal"], kept.left(2)["signal"]) == (15, 9)
    again = threading.Event()
    kept.keeper.loop.after(0, lambda: kept.services.wind_down("it was idle", again.set))
    assert again.wait(20)


def test_a_guest_that_never_says_that_a_service_ended_stops_no_machine_from_ending(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(part, "_KILLED_SECONDS", 0.1)
    kept.start("deaf")
    over = threading.Event()
    kept.keeper.loop.after(0, lambda: kept.services.wind_down("somebody stopped it", over.set))
    assert over.wait(20)
    assert kept.states() == {"web": "running"}


def test_a_crash_is_told_by_its_signal(kept: Kept) -> None:
    answer = kept.start("crash")
    assert (answer["reason"], answer["signal"]) == ("it ended before it was ready: signal SEGV", 11)


def test_one_that_cannot_be_started_at_all(kept: Kept) -> None:
    with pytest.raises(NotFound, match="no such directory"):
        kept.start("missing")
    assert kept.states() == {"web": "failed"}


def test_ready_once_a_port_takes_connections(kept: Kept) -> None:
    port = free_port()
    assert kept.start("listen", str(port), readiness={"kind": "tcp", "port": port})["state"] == "running"


def test_who_looks_ends_its_connection_as_a_client_would(kept: Kept) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Conflict):
            kept.start("sleep", readiness={"kind": "tcp", "port": port})
        looking, _ = server.accept()
        with looking:
            looking.settimeout(5)
            assert looking.recv(1) == b""  # a server that is reset here raises


def test_a_port_that_answers_before_is_somebody_elses(kept: Kept) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Conflict, match=f"port {port} takes connections already"):
            kept.start("sleep", readiness={"kind": "tcp", "port": port})
    assert kept.states() == {"web": "failed"}


def test_ready_once_a_file_is_written_also_where_an_old_one_lies(kept: Kept, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    readiness = {"kind": "file", "path": str(file)}
    assert kept.start("write", str(file), readiness=readiness)["state"] == "running"
    kept.ask("keeper.service.stop", service="web", reason="test")
    late = kept.start("sleep", readiness=readiness, ready_timeout_ms=200)
    assert late["state"] == "failed"
    assert "is as it was before" in str(late["reason"])


class _Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/busy" else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _serve_later(port: int) -> HTTPServer:
    server = HTTPServer(("127.0.0.1", port), _Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.mark.parametrize(("target", "state"), [("/fine?x=1", "running"), ("/busy", "failed")])
def test_ready_once_http_says_so(kept: Kept, target: str, state: str) -> None:
    port = free_port()
    server: list[HTTPServer] = []
    timer = threading.Timer(0.2, lambda: server.append(_serve_later(port)))
    timer.start()
    readiness = {"kind": "http", "port": port, "target": target, "host": f"localhost:{port}"}
    answer = kept.start("sleep", readiness=readiness, ready_timeout_ms=1500)
    timer.join()
    server[0].shutdown()
    server[0].server_close()
    assert answer["state"] == state
    if state == "failed":
        assert (answer["late"], "GET /busy gave status 503" in str(answer["reason"])) == (True, True)


def test_what_speaks_no_http_is_told(kept: Kept) -> None:
    port = free_port()
    readiness = {"kind": "http", "port": port, "target": "/", "host": "localhost"}

    def answer_nonsense() -> None:
        with socket.create_server(("127.0.0.1", port)) as server:
            server.settimeout(0.8)
            with suppress(TimeoutError):
                while True:
                    connection, _ = server.accept()
                    connection.recv(1000)
                    connection.sendall(b"220 mail.example.org ESMTP\r\n")
                    connection.close()

    timer = threading.Timer(0.2, answer_nonsense)
    timer.start()
    said = kept.start("sleep", readiness=readiness, ready_timeout_ms=600)
    timer.join()
    assert str(said["reason"]).endswith(f"port {port} does not speak HTTP")


@pytest.mark.parametrize(("word", "state"), [("done", "running"), ("fail", "failed")])
def test_ready_once_a_command_succeeds(kept: Kept, word: str, state: str) -> None:
    readiness = {"kind": "command", "request": {"argv": [word]}}
    answer = kept.start("sleep", readiness=readiness, ready_timeout_ms=300)
    assert answer["state"] == state
    if state == "failed":
        assert "the command's exit status was 3: boom" in str(answer["reason"])


def test_stop_asks_everything_to_end_and_kills_what_does_not(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.start("sleep")
    stopped = kept.ask("keeper.service.stop", service="web", reason="somebody stopped it")
    assert (stopped["state"], stopped["reason"]) == ("stopped", "somebody stopped it")
    assert kept.guest.told == [{"signal": "TERM", "everything": True}]
    kept.start("stubborn", name="other")
    monkeypatch.setattr(supervising.Service.stop, "__defaults__", (0.1,))
    killed = kept.ask("keeper.service.stop", service="other", reason="test")
    assert (killed["state"], killed["signal"]) == ("stopped", 9)
    again = kept.ask("keeper.service.stop", service="other", reason="another")
    assert again["reason"] == "test"
    assert kept.ask("keeper.service.stop", service="nobody", reason="") == {}


def test_a_name_is_taken_as_long_as_its_service_runs(kept: Kept) -> None:
    kept.start("sleep")
    with pytest.raises(Conflict, match="running already"):
        kept.start("sleep")
    kept.ask("keeper.service.stop", service="web", reason="test")
    assert kept.start("sleep")["state"] == "running"


def test_a_start_that_is_given_up_leaves_nothing_running(kept: Kept) -> None:
    port = free_port()
    message = kept.request("sleep", readiness={"kind": "tcp", "port": port})

    class GiveUp:
        """Cancels as soon as the keeper has taken the service on."""

        def __init__(self) -> None:
            self.near, self.far = socket.socketpair()

        def fileno(self) -> int:
            return self.near.fileno()

        def make(self) -> None:
            self.far.send(b"x")

        def take(self) -> None:
            self.near.recv(1)

    wish = GiveUp()
    with wish.near, wish.far, Channel(kept.keeper.path) as channel:
        answer = channel.ask(
            {"verb": "keeper.service.start", **message},
            on_control=lambda _: wish.make(),
            controls=wish,
        )
    assert (answer["state"], answer["reason"]) == ("failed", "it was given up before it was ready")
    assert not kept.services.busy


def test_a_start_goes_on_when_its_client_leaves(kept: Kept) -> None:
    port = free_port()
    message = kept.request("listen", str(port), readiness={"kind": "file", "path": "/nowhere/at/all"})
    with Channel(kept.keeper.path) as channel:
        taken = threading.Event()
        threading.Thread(
            target=lambda: _ignoring(
                lambda: channel.ask(
                    {"verb": "keeper.service.start", **message}, on_control=lambda _: taken.set(), timeout=0.3
                )
            )
        ).start()
        assert taken.wait(5)
    wait_until(lambda: kept.states() == {"web": "starting"}, what="the start to be known", timeout=5)
    wait_until(lambda: bool(kept.guest.dispatcher._requests), what="its command", timeout=5)


def _ignoring(call: object) -> None:
    assert callable(call)
    try:
        call()
    except Exception:  # noqa: BLE001 - the connection was closed under it
        return


def test_ports_open_with_the_service_and_close_when_it_stops_or_fails(kept: Kept) -> None:
    port = {"address": "127.0.0.1", "host_port": free_port(), "guest_port": free_port()}
    kept.start("sleep", ports=[port])
    told = kept.ask("keeper.services")["ports"]
    old = {"address": "127.0.0.1", "host_port": kept.published.host_port, "guest_port": 80}
    assert told == [{**old, "service": "old", "closed": None}, {**port, "service": "web", "closed": None}]
    kept.ask("keeper.service.stop", service="web", reason="test")
    assert kept.start("fail", ports=[port])["state"] == "failed"
    assert kept.ask("keeper.services")["ports"] == [{**old, "service": "old", "closed": None}]
    with socket.create_server(("127.0.0.1", port["host_port"])), pytest.raises(Conflict, match="is in use"):
        kept.start("sleep", ports=[port])


def test_when_the_machine_ends_each_that_ran_is_stopped_and_says_why(kept: Kept) -> None:
    kept.start("sleep")
    kept.start("fail", name="bad")
    kept.keeper.stop()
    kept.services.ended("it was reset")
    assert (kept.left(1)["state"], kept.left(1)["reason"]) == ("stopped", "the machine ended: it was reset")
    assert kept.left(2)["state"] == "failed"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", kept.published.host_port), timeout=5)


def test_no_secret_is_in_the_log_or_the_state(kept: Kept) -> None:
    kept.start("say", "the token is t0ken-of-the-test.")
    kept.ask("keeper.service.stop", service="web", reason="test")
    log = (kept.directory / "run-1" / "log-0000000000000000").read_bytes()
    assert log == b"the token is [redacted:TOKEN]."


@pytest.mark.parametrize(
    "wrong",
    [
        {"readiness": {"kind": "magic", "port": 1}},
        {"readiness": "soon"},
        {"readiness": {"kind": "tcp", "port": 0}},
        {"ready_interval_ms": 0},
        {"ports": None},
        {"request": None},
    ],
)
def test_what_cannot_be_understood_is_refused(kept: Kept, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        kept.ask("keeper.service.start", **{**kept.request("sleep"), **wrong})
    assert kept.states() == {}
