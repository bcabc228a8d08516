"""Using a workspace without starting one: what is refused, what is written down, and the end of its time."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.workspaces.pretended import Pretended, pretended

from pyro_mcp.errors import Conflict, HostUnfit, NotFound
from pyro_mcp.workspaces.history import events
from pyro_mcp.workspaces.machines.promises import Promises
from pyro_mcp.workspaces.registry import workspaces
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_wire.events import Opened
from pyro_wire.mux import Mux


def test_an_operation_on_a_running_machine_leaves_an_event(workspace: Pretended) -> None:
    workspace.runs()
    with workspace.sessions.using(workspace.id, "exec", command="true") as session:
        session.note(exit_code=0)
    assert session.resumed is None
    with workspace.sessions.registry.reading() as reading:
        (event,) = events.page(reading, workspace.id).events
    assert (event.kind, event.outcome) == ("exec", "done")
    assert json.loads(event.data) == {"command": "true", "exit_code": 0}


def test_what_goes_wrong_is_written_down_and_told_without_secrets() -> None:
    with pretended(given={"TOKEN": b"a value that is long"}) as workspace:
        workspace.runs()
        with (
            pytest.raises(NotFound) as caught,
            workspace.sessions.using(workspace.id, "file.read"),
        ):
            raise NotFound("no file named a value that is long")
        with workspace.sessions.registry.reading() as reading:
            (event,) = events.page(reading, workspace.id).events
    assert "TOKEN" in caught.value.brief
    assert event.outcome == "not_found"


def test_one_that_is_being_deleted_is_not_started(workspace: Pretended) -> None:
    with workspace.sessions.registry.changing() as change:
        workspaces.set_state(change, workspace.id, "deleting", maker=this_process())
    with pytest.raises(Conflict, match="is deleting"), workspace.sessions.using(workspace.id, "exec"):
        pass


def test_what_has_outlived_its_time_is_deleted_with_its_files(workspace: Pretended) -> None:
    directory = workspace.sessions.directories.of(workspace.id)
    directory.mkdir(parents=True)
    with workspace.sessions.registry.changing() as change:
        change.run("UPDATE workspaces SET ttl_seconds = 1, created_at = 0 WHERE id = ?", (workspace.id,))
    workspace.sessions.tidy()
    assert not directory.exists()
    with pytest.raises(NotFound):
        workspace.sessions.record(workspace.id)


@contextmanager
def answering(place: Path) -> Iterator[None]:
    """A keeper that answers one request with where it is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(place))
        listener.listen()
        thread = threading.Thread(target=_answer_once, args=(listener, place))
        thread.start()
        try:
            yield
        finally:
            thread.join(10)


def _answer_once(listener: socket.socket, place: Path) -> None:
    connection, _ = listener.accept()
    mux = Mux(initiator=False)
    with connection:
        answered = False
        while not answered or mux.backlog:
            if mux.backlog:
                mux.wrote(connection.send(mux.outgoing()))
                continue
            for event in mux.receive(connection.recv(65536)):
                if isinstance(event, Opened):
                    mux.answer(event.stream, {"at": place.name})
                    answered = True


def test_a_keeper_that_ends_before_it_is_asked_gives_way_to_the_next(
    workspace: Pretended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was never asked did not happen: the machine is started anew, and the same is asked of it."""
    workspace.runs()  # a socket that nobody listens at
    with answering(tmp_path / "next"), workspace.sessions.using(workspace.id, "file.write") as session:
        workspace.stops()
        monkeypatch.setattr(workspace.sessions.starter, "start", lambda *_, **__: tmp_path / "next")
        assert session.ask({"verb": "tree.apply"}) == {"at": "next"}
        assert session.resumed


def test_what_stops_a_machine_later_stops_what_is_under_way(workspace: Pretended, tmp_path: Path) -> None:
    workspace.runs()
    with workspace.sessions.using(workspace.id, "exec") as session:
        session._socket = tmp_path / "met"
        with answering(tmp_path / "met"):
            assert session.ask({"verb": "ping"}) == {"at": "met"}
        with pytest.raises(Conflict, match="not running any more"):
            session.ask({"verb": "ping"})


def test_the_next_machine_is_not_asked_the_rest_of_what_the_last_one_was_asked(
    workspace: Pretended, tmp_path: Path
) -> None:
    """A reset in the middle of a push: what the push saw is gone, so the rest of it must not be carried out."""
    workspace.runs()
    with workspace.sessions.using(workspace.id, "sync.push") as session:
        session._socket = tmp_path / "machine"
        with answering(tmp_path / "machine"):
            session.ask({"verb": "tree.changes"})
        (tmp_path / "machine").unlink()
        with (
            served_by_another_process(tmp_path / "machine"),
            pytest.raises(Conflict, match="not running any more"),
        ):
            session.ask({"verb": "tree.apply"})


@contextmanager
def served_by_another_process(place: Path) -> Iterator[None]:
    """A socket that another process listens at, as the next keeper does."""
    program = (
        "import socket, sys; listener = socket.socket(socket.AF_UNIX); listener.bind(sys.argv[1]);"
        "listener.listen(); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as listening:
        assert listening.stdout is not None
        listening.stdout.readline()
        yield
        listening.communicate()


def test_a_machine_that_another_starter_brought_meanwhile_has_to_keep_the_promise_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two starters: the second waits for the lock, and finds the machine of the first, which asked for less."""
    with pretended(promises=Promises(confinement="full")) as workspace:
        lock = workspace.sessions.machines.lock

        @contextmanager
        def after_the_other(workspace_id: str) -> Iterator[None]:
            with lock(workspace_id):
                workspace.runs(confinement="none")
                yield

        monkeypatch.setattr(workspace.sessions.machines, "lock", after_the_other)
        with (
            pytest.raises(HostUnfit, match="less than is required"),
            workspace.sessions.using(workspace.id, "exec"),
        ):
            pass
