"""Shells in the keeper: opened, typed into, read and waited for by clients that come and go."""

import threading
from pathlib import Path

import pytest
from tests.unit.pyro_mcp.keeper.conftest import SECRETS, Kept

from pyro_mcp.errors import Conflict, InvalidRequest, LimitReached, NotFound
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.waiting import wait_until
from pyro_wire.messages import Message

PROMPT = b"\x1b]133;D;0\x07\x1b]133;A\x07$ \x1b]133;B\x07"


class Client:
    """Asks a keeper about shells, each time on a connection of its own."""

    def __init__(self, kept: Kept, directory: Path) -> None:
        self._kept, self._directory = kept, directory
        self.text = b""

    def ask(self, verb: str, **facts: object) -> Message:
        said = bytearray()
        with Channel(self._kept.path) as channel:
            answer = channel.ask(
                {"verb": f"keeper.shell.{verb}", **facts},
                on_data=lambda _, data: said.extend(data),
                timeout=20,
            )
        self.text = bytes(said)
        return answer

    def open(self, *programs: str) -> Message:
        argv = [{"argv": list(programs or ("echoing",))}]
        request = {"programs": argv, "columns": 20, "rows": 5}
        return self.ask(
            "open", directory=str(self._directory), request=request, timeout_ms=10_000, max_chars=1000
        )

    def read(self, **wish: object) -> Message:
        return self.ask("read", **{"shell_id": "sh-1", "timeout_ms": 10_000, **wish})

    def write(self, text: str = "", *keys: str, newline: bool = True) -> Message:
        return self.ask("write", shell_id="sh-1", input=text, keys=list(keys), newline=newline and not keys)


@pytest.fixture
def client(kept: Kept, tmp_path: Path) -> Client:
    return Client(kept, tmp_path / "shells")


def test_a_shell_answers_at_its_first_prompt_and_is_listed(client: Client) -> None:
    opened = client.open()
    assert (opened["shell_id"], opened["state"], opened["waited"]) == ("sh-1", "prompt", "prompt")
    assert client.text == b"$ "
    listed = client.ask("list")["shells"]
    assert isinstance(listed, list)
    assert [shell["shell_id"] for shell in listed] == ["sh-1"]


def test_what_is_typed_is_carried_out_and_read_once(client: Client) -> None:
    client.open()
    before = client.write("hello")["cursor"]
    answer = client.read(prompt=True)
    assert (answer["state"], answer["waited"]) == ("prompt", "prompt")
    assert client.text == b"$ hello\nolleh\n$ "
    client.read()
    assert client.text == b""
    client.read(cursor=before, view="text")
    assert client.text == b"$ hello\nolleh\n$ "


def test_the_prompt_before_the_write_is_not_taken_for_the_one_after(client: Client) -> None:
    client.open()
    client.write("slow")
    answer = client.read(prompt=True, timeout_ms=50)
    assert (answer["state"], answer["waited"]) == ("running", "timeout")


def test_a_pause_ends_the_wait_and_so_does_output(client: Client) -> None:
    client.open()
    client.write("slow")
    answer = client.read(idle_ms=50)
    assert answer["waited"] == "idle"
    end = answer["end"]
    answers: list[Message] = []
    waiting = threading.Thread(target=lambda: answers.append(client.read(beyond=end)))
    waiting.start()
    Client(client._kept, client._directory).write("x")
    waiting.join()
    assert answers[0]["waited"] == "output"


def test_a_peek_leaves_what_is_new_to_the_next_reader(client: Client) -> None:
    client.open()
    client.write("hello")
    client.read(prompt=True, peek=True)
    assert b"olleh" in client.text
    client.read()
    assert b"olleh" in client.text


def test_raw_gives_the_bytes_and_screen_what_is_visible(client: Client) -> None:
    client.open()
    client.read(view="raw", cursor=0)
    assert client.text == PROMPT
    client.write("many")
    client.read(prompt=True)
    answer = client.read(view="screen")
    assert client.text == b"6\n7\n8\n9\n$"
    assert (answer["cursor_row"], answer["cursor_column"]) == (5, 3)


def test_keys_are_sent_as_keys_and_unknown_ones_refused(client: Client, kept: Kept) -> None:
    client.open()
    client.write("", "up", "ctrl-c")
    with pytest.raises(InvalidRequest):
        client.write("", "no-such-key")
    client.read(idle_ms=30)
    assert kept.agent.typed == b"\x1b[A\x03"


def test_sizes_and_signals_reach_the_agent(client: Client, kept: Kept) -> None:
    client.open()
    assert client.ask("resize", shell_id="sh-1", columns=30, rows=6)["columns"] == 30
    client.ask("signal", shell_id="sh-1", signal="TERM")
    wait_until(lambda: len(kept.agent.controls) == 2, what="both", timeout=5)
    assert kept.agent.controls == [{"columns": 30, "rows": 6}, {"signal": "TERM"}]


def test_no_signal_is_sent_that_is_none(client: Client, kept: Kept) -> None:
    client.open()
    with pytest.raises(InvalidRequest):
        client.ask("signal", shell_id="sh-1", signal="NOPE")
    assert kept.agent.controls == []


def test_a_shell_that_exits_can_be_read_until_it_is_closed_and_its_end_is_noted(
    client: Client, tmp_path: Path
) -> None:
    client.open()
    client.write("exit")
    answer = client.read(prompt=True)
    assert (answer["state"], answer["ended"]) == ("ended", "it exited with status 3")
    with pytest.raises(Conflict):
        client.write("more")
    assert "status 3" in (tmp_path / "shells/sh-1.json").read_text()
    client.ask("close", shell_id="sh-1")
    with pytest.raises(NotFound):
        client.read()
    assert client.open()["shell_id"] == "sh-2"


def test_a_shell_that_is_closed_is_killed(client: Client, kept: Kept) -> None:
    client.open()
    answer = client.ask("close", shell_id="sh-1")
    assert (answer["state"], answer["ended"]) == ("ended", "it was closed")
    assert len(kept.agent.cancelled) == 1
    assert client.ask("list") == {"shells": []}


def test_one_that_cannot_be_started_is_a_fault_and_no_shell(client: Client) -> None:
    with pytest.raises(NotFound, match="no such program"):
        client.open("fail")
    assert client.ask("list") == {"shells": []}


def test_everybody_who_waits_learns_that_the_machine_is_over(
    client: Client, kept: Kept, tmp_path: Path
) -> None:
    client.open()
    client.write("slow")
    answers: list[Message] = []
    waiting = threading.Thread(target=lambda: answers.append(client.read(prompt=True)))
    waiting.start()
    wait_until(lambda: kept.shells.busy, what="the reader to wait", timeout=5)
    kept.loop.after(0, lambda: kept.shells.ended("somebody stopped it"))
    Client(kept, tmp_path).ask("list")  # which wakes the loop
    waiting.join()
    assert (answers[0]["waited"], answers[0]["ended"]) == ("ended", "somebody stopped it")
    assert "somebody stopped it" in (tmp_path / "shells/sh-1.json").read_text()


def test_a_reader_that_leaves_holds_nothing(client: Client, kept: Kept) -> None:
    client.open()
    assert not kept.shells.busy
    assert kept.board.requests == 0
    client.write("slow")
    with pytest.raises(LimitReached), Channel(kept.path) as channel:
        channel.ask(
            {"verb": "keeper.shell.read", "shell_id": "sh-1", "prompt": True, "timeout_ms": 60_000},
            timeout=0.1,
        )
    wait_until(lambda: not kept.shells.busy, what="the reader to be forgotten", timeout=5)


def test_no_secret_is_shown_however_it_comes(client: Client) -> None:
    value = SECRETS["TOKEN"]
    client.open()
    client.write("secret")
    client.read(prompt=True)
    assert b"[redacted:TOKEN]" in client.text
    for view in ("text", "screen", "raw"):
        client.read(cursor=0, view=view)
        assert value not in client.text
    client.write(value.decode(), newline=False)  # whose echo comes in small pieces
    client.read(idle_ms=200, cursor=0)
    assert value not in client.text


def test_a_secret_across_the_edge_of_the_screen_is_one(client: Client) -> None:
    value = SECRETS["TOKEN"]
    client.open()
    for piece in (b"# 456789", value[:4], value[4:]):  # each shown before the next is typed
        client.write(piece.decode(), newline=False)
        client.read(idle_ms=100)
    client.read(cursor=0, view="screen")
    assert value not in client.text.replace(b"\n", b"")
    assert b"[redacted:TOKEN]" in client.text.replace(b"\n", b"")


def test_a_command_that_writes_is_at_work_unless_nobody_has_wanted_its_shell_for_long(
    kept: Kept, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[bool] = []
    kept.shells.on_work = lambda: worked.append(True)
    client.open()
    assert not worked
    client.write("hello")
    client.read(prompt=True)
    assert worked
    monkeypatch.setattr("pyro_mcp.keeper.shells.shell.WORK_SECONDS", 0.0)
    worked.clear()
    client.write("hello")
    client.read(prompt=True)
    assert not worked


def test_a_flood_is_bounded_and_what_was_dropped_is_told(client: Client) -> None:
    client.open()
    client.write("flood")
    answer = client.read(prompt=True, cursor=0, view="raw", max_chars=1 << 24)
    assert len(client.text) < (3 << 20)
    assert answer["dropped_bytes"] > 0  # type: ignore[operator]
    answer = client.read(cursor=None, max_chars=1000)
    assert answer["skipped_from"] is not None
    assert client.text.endswith(b"$ ")


class Person:
    """Keys and words of somebody at a terminal, said when the test says so."""

    def __init__(self) -> None:
        import socket

        self._near, self._far = socket.socketpair()
        self._said: list[Message | None] = []

    def fileno(self) -> int:
        return self._far.fileno()

    def say(self, word: Message | None) -> None:
        self._said.append(word)
        self._near.send(b"x")

    def take(self) -> Message | None:
        self._far.recv(1)
        return self._said.pop(0)

    def close(self) -> None:
        self._near.close()
        self._far.close()


def test_a_person_is_shown_the_screen_and_leaves_it_as_it_was(client: Client, kept: Kept) -> None:
    client.open()
    client.write("fullscreen")
    client.read(idle_ms=30)
    person, seen, answers = Person(), bytearray(), []

    def sit() -> None:
        with Channel(kept.path) as channel:
            answers.append(
                channel.ask(
                    {"verb": "keeper.shell.attach", "shell_id": "sh-1", "columns": 30, "rows": 8},
                    on_data=lambda _, data: seen.extend(data),
                    body=b"x\r",
                    controls=person,
                )
            )

    sitting = threading.Thread(target=sit)
    sitting.start()
    wait_until(lambda: b"full" in seen and kept.shells.busy, what="the screen", timeout=5)
    person.say({"columns": 40, "rows": 9})
    wait_until(lambda: {"columns": 40, "rows": 9} in kept.agent.controls, what="the size", timeout=5)
    assert b"\x1b[?1049h" in seen
    person.say({"detach": True})
    sitting.join()
    person.close()
    assert answers == [{"detached": True, "shell_id": "sh-1"}]
    assert b"\x1b[?1049l" in seen
    assert b"\x1b[?25h" in seen
    assert not kept.shells.busy
    assert {"signal": "WINCH"} in kept.agent.controls
