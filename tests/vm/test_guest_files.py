"""The agent's file verbs on a real machine: the kernel's own overlay, disk and journal."""

import json
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.ladder import DEBIAN, Guest, PyroProgram
from tests.remains import qemu_of

from pyro_mcp.errors import Conflict, GuestFailed, InvalidRequest, LimitReached, NotFound, PyroError
from pyro_mcp.guest.channel import Channel
from pyro_mcp.host.waiting import wait_until
from pyro_wire.messages import Message

_KILLS = 8


@dataclass
class Files:
    """The file verbs of one machine."""

    guest: Guest

    def ask(self, verb: str, body: bytes | None = None, **fields: object) -> tuple[Message, bytes]:
        sent = bytearray()
        request = {"verb": verb, **fields}
        answer = self.guest.channel.ask(
            request, on_data=lambda _, data: sent.extend(data), body=body, timeout=50
        )
        return answer, bytes(sent)

    def apply(self, *operations: dict[str, object]) -> Message:
        parts = []
        for operation in operations:
            data = operation.get("data")
            content = data if isinstance(data, bytes) else b""
            fields = {name: value for name, value in operation.items() if name != "data"}
            parts += [json.dumps({**fields, "size": len(content)}).encode() + b"\n", content]
        return self.ask("tree.apply", b"".join(parts))[0]

    def changes(self, paths: tuple[str, ...] = ()) -> dict[str, str]:
        _, sent = self.ask("tree.changes", paths=list(paths))
        return {line["path"]: line["status"] for line in map(json.loads, sent.splitlines())}

    def sh(self, script: str) -> str:
        answer, said = self.guest.run("sh", "-c", f"cd /workspace; {script}")
        assert answer["exit_code"] == 0, (said, self.guest.said[2])
        return said.decode(errors="surrogateescape")


def write(path: str, data: bytes, **more: object) -> dict[str, object]:
    return {"op": "write", "path": path, "data": data, **more}


@pytest.fixture
def files(guest: Guest) -> Files:
    return Files(guest)


def test_bytes_go_in_and_come_back(files: Files) -> None:
    data = random.Random(1).randbytes(8 << 20)
    files.apply(write("a/big", data), write("a/small", b"small\n", mode=0o755))
    assert files.ask("file.read", path="a/big")[1] == data
    assert files.ask("file.read", path="a/big", offset=1 << 20, limit=100_000)[1] == data[1 << 20 :][:100_000]
    answer, sent = files.ask("file.read", path="/workspace/a/small", hash=True)
    assert (sent, answer["mode"]) == (b"small\n", 0o755)
    assert files.sh("ls -A . a; sha256sum a/small").startswith(
        ".:\na\n\na:\nbig\nsmall\n" + str(answer["sha256"])
    )


def test_paths_stay_inside_and_devices_closed(files: Files) -> None:
    files.sh(
        "ln -s ../../../../../etc up; ln -s loop loop; mkfifo pipe; ln -s /proc/self/root/etc/passwd magic"
    )
    assert files.ask("file.read", path="up/hostname")[1] == files.ask("file.read", path="/etc/hostname")[1]
    for path in ("pipe", "/dev/zero", "/dev", "loop"):
        with pytest.raises(InvalidRequest):
            files.ask("file.read", path=path)
    for path in ("magic", "none", "/proc/1/environ", "/run/agent", "/run/disk"):
        with pytest.raises(NotFound):
            files.ask("file.read", path=path)
    for path in ("/proc/x", "/sys/x", "/run/x", "/dev/x"):
        with pytest.raises(InvalidRequest):
            files.apply(write("good", b""), write(path, b""))
    assert files.ask("file.stat", path="good")[0]["kind"] == "absent"


def test_a_search_that_never_ends_holds_up_nobody(files: Files) -> None:
    files.apply(write("bomb", b"a" * 64 + b"!\n"), write("line", b"one\naaa\n"))
    answer, _ = files.ask("tree.search", pattern="(a+)+$", timeout_ms=500)
    assert (answer["timed_out"], answer["more"]) == (True, True)
    answer, sent = files.ask("tree.search", pattern="^a{3}$", context=1)
    assert json.loads(sent) == {"path": "line", "line": 2, "text": "aaa", "before": ["one"], "after": []}


def test_a_disk_that_is_full_changes_nothing(files: Files) -> None:
    files.apply(write("a", b"old"))
    files.sh("fallocate -l $(($(df --output=avail -B1 . | tail -1) - 4000000)) fill")
    before = files.sh("ls -lA; cat a")
    with pytest.raises(LimitReached):
        files.apply(write("a", b"new"), write("b", bytes(64 << 20)))
    assert files.sh("ls -lA; cat a") == before
    files.sh("rm fill")
    files.apply(write("a", b"new"))


# -- workspaces with a seed ----------------------------------------------------------------------------------------------


@dataclass
class Seeded(Files):
    """A workspace that lies on a seed."""

    home: Path
    start: Callable[[], object]

    def kill(self) -> None:
        qemu = qemu_of(self.home)
        assert qemu is not None
        os.kill(qemu.pid, signal.SIGKILL)

    def connect(self) -> None:
        """Start the machine again, and find its new socket."""
        self.guest.channel.close()

        def connected() -> Channel | None:
            try:
                self.start()
                channel = Channel(next((self.home / "runtime").glob("*.sock")))
            except (PyroError, StopIteration):
                return None  # its keeper is just ending
            try:
                channel.ask({"verb": "ping"}, timeout=5)
            except PyroError:
                channel.close()
                return None
            return channel

        self.guest = Guest(wait_until(connected, what="the machine to be there again", timeout=20))


@contextmanager
def seeded(home: Path, seed: Path) -> Iterator[Seeded]:
    pyro = PyroProgram()

    def run(*words: str) -> str:
        done = pyro("workspace", *words)
        if done.returncode:
            raise GuestFailed(done.stderr.decode())
        return done.stdout.decode().strip()

    name = run("create", DEBIAN, "--seed-path", str(seed), "--id-only")
    files = Seeded(Guest(Channel(next((home / "runtime").glob("*.sock")))), home, lambda: run("start", name))
    try:
        yield files
    finally:
        files.guest.channel.close()
        run("delete", name)


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    root = tmp_path / "seed"
    for name in (
        "gone",
        "touched",
        "mode",
        "kind",
        "bytes",
        "a/one",
        "a/two/x",
        "b/keep",
        "b/drop",
        "d/inner",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"content of {name}\n")
    (root / "link").symlink_to("gone")
    return root


def test_changes_are_those_of_the_tree_not_of_the_disk(home: Path, environment: object, seed: Path) -> None:
    with seeded(home, seed) as files:
        assert files.changes() == {}
        files.sh(
            "rm gone; touch touched; chmod 755 mode; rm kind; mkdir kind; echo x > kind/in; mkfifo pipe; mkdir empty;"
            "printf X | dd of=bytes conv=notrunc; mv a moved; mv moved/two moved/three;"
            "rm -r b; mkdir b; echo new > b/keep; ln -sfn mode link"
        )
        assert files.changes() == {
            "a/one": "deleted",
            "a/two/x": "deleted",
            "b/drop": "deleted",
            "b/keep": "modified",
            "bytes": "modified",
            "gone": "deleted",
            "kind": "deleted",
            "kind/in": "added",
            "link": "modified",
            "mode": "modified",
            "moved/one": "added",
            "moved/three/x": "added",
        }
        assert files.ask("file.read", path="a/one", layer="seed")[1] == b"content of a/one\n"
        assert files.ask("file.read", path="moved/three/x")[1] == b"content of a/two/x\n"
        with pytest.raises(Conflict):
            files.apply({"op": "remove", "path": "moved"})
        files.apply({"op": "remove", "path": "moved", "recursive": True}, write("moved", b"a file"))
        assert set(files.changes(("moved", "a"))) == {"a/one", "a/two/x", "moved"}


def test_a_machine_that_was_stopped_has_no_journal_to_replay(
    home: Path, environment: object, seed: Path
) -> None:
    with seeded(home, seed) as files:
        files.apply(write("kept", b"x"))
        assert files.ask("detach")[0]["expired"] is False
        files.kill()
        files.connect()
        said = files.sh("cat kept; dmesg")
        assert said.startswith("x[")
        assert "EXT4-fs (vdd): mounted filesystem" in said
        assert "recovery complete" not in said


def _version(number: int) -> list[dict[str, object]]:
    """A transaction that can be told from the tree to be done, not done, or half done."""
    last = number - 1
    return [
        *(write(f"f{one}", f"{number}\n".encode() * 500) for one in range(3)),
        {"op": "move", "path": f"m{last}" if last else "d", "to": f"m{number}"},
        write(f"m{number}/inner", str(number).encode()),
        {"op": "move", "path": "x", "to": "t"},
        {"op": "move", "path": "y", "to": "x"},
        {"op": "move", "path": "t", "to": "y"},
        *([{"op": "remove", "path": f"only{last}", "recursive": True}] if last else []),
        write(f"only{number}/deep", str(number).encode()),
    ]


def _state(number: int) -> str:
    """What the tree says after that transaction."""
    swapped = "x\ny\n" if number % 2 == 0 else "y\nx\n"
    return f"m{number} only{number}\n" + f"{number}\n" * 1500 + f"{number}{number}{swapped}"


def test_a_kill_in_the_middle_leaves_all_or_nothing(home: Path, environment: object, seed: Path) -> None:
    chance = random.Random(4)
    with seeded(home, seed) as files:
        files.apply(write("x", b"x\n"), write("y", b"y\n"))
        files.apply(*_version(1))
        done = 1
        for _ in range(_KILLS):
            acknowledged: list[Message] = []

            def change(number: int, told: list[Message]) -> None:
                try:
                    told.append(files.apply(*_version(number)))
                except PyroError:
                    return  # the machine was killed first

            changing = threading.Thread(target=change, args=(done + 1, acknowledged))
            changing.start()
            changing.join(chance.uniform(0.02, 0.3))  # the moment of the kill is what is random here
            files.kill()
            changing.join()
            files.connect()
            state = files.sh(
                "echo m[0-9]* only*; cat f0 f1 f2 m*/inner only*/deep x y; ls -A . / | grep pyro || true"
            )
            if acknowledged or state != _state(done):
                done += 1
            assert state == _state(done)
