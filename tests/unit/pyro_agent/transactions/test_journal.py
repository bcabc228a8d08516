"""However often a machine is killed while a journal is carried out: in the end everything is done, once."""

from __future__ import annotations

import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from tests.unit.pyro_agent.workspace_root import Root
from tests.unit.pyro_agent.workspace_root import root as root

from pyro_agent.transactions import journal
from pyro_agent.transactions.journal import Hands, Journal
from pyro_agent.transactions.operations import Step

_W = "/workspace"


class _Killed(Exception):
    pass


def steps(root: Root) -> list[Step]:
    """Steps of which none may be done twice later: a swap of two files, a folder moved and written into, replacements."""
    for name in ("a", "b", "gone", "file"):
        (root.workspace / name).write_text(name)
    (root.workspace / "d").mkdir()
    (root.workspace / "d/x").write_text("x")
    staging = root.workspace / ".pyro-staging"
    staging.mkdir()
    for number in range(4):
        (staging / str(number)).write_text(f"new {number}")
    put = [f"{_W}/.pyro-staging/{number}" for number in range(4)]
    return [
        Step("put", f"{_W}/a2", put[0]),
        Step("move", f"{_W}/t", f"{_W}/a"),
        Step("move", f"{_W}/a", f"{_W}/b"),
        Step("move", f"{_W}/b", f"{_W}/t"),
        Step("remove", f"{_W}/gone"),
        Step("remove", f"{_W}/file"),
        Step("make", f"{_W}/file", mode=0o700),
        Step("put", f"{_W}/file/in", put[1]),
        Step("move", f"{_W}/e", f"{_W}/d"),
        Step("put", f"{_W}/e/x", put[2]),
        Step("make", f"{_W}/d", mode=0o755),
        Step("put", f"{_W}/d/x", put[3]),
        Step("remove", f"{_W}/a2"),
        Step("mode", f"{_W}/a", mode=0o600),
    ]


DONE = {
    "a": b"b",
    "b": b"a",
    "file": None,
    "file/in": b"new 1",
    "e": None,
    "e/x": b"new 2",
    "d": None,
    "d/x": b"new 3",
}


def kill_after(count: int, monkeypatch: pytest.MonkeyPatch, *, between: bool) -> None:
    """Die at the next step after so many; `between`: before its number could be noted, too."""
    did, real, noted = [0], Hands.do, Journal._pass

    def do(self: Hands, step: Step) -> None:
        if did[0] == count:
            raise _Killed
        real(self, step)
        did[0] += 1

    def note(self: Journal, number: int) -> None:
        if between and did[0] == count:
            raise _Killed
        noted(self, number)

    monkeypatch.setattr(Hands, "do", do)
    monkeypatch.setattr(Journal, "_pass", note)


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("count", range(15))
def test_a_kill_at_any_step_is_made_good(
    root: Root, monkeypatch: pytest.MonkeyPatch, count: int, between: bool
) -> None:
    Path(journal.FOLDER).mkdir()
    committed = Journal.commit("t", steps(root))
    with monkeypatch.context() as patch:
        kill_after(count, patch, between=between)
        with suppress(_Killed):
            committed.carry_out()
    if count % 2:  # and once more, in the middle of making it good
        found = Journal.found(next(Path(journal.FOLDER).iterdir()).name)
        assert found is not None
        with monkeypatch.context() as patch:
            kill_after(1, patch, between=between)
            with suppress(_Killed):
                found.carry_out()
    journal.recover()
    assert root.tree() == DONE
    assert (root.workspace / "a").stat().st_mode & 0o7777 == 0o600
    assert list(Path(journal.FOLDER).iterdir()) == []


def test_a_torn_journal_never_was(root: Root) -> None:
    Path(journal.FOLDER).mkdir()
    Journal.commit("t", steps(root))
    file = Path(journal.FOLDER, "t.0")
    whole = file.read_bytes()
    (root.workspace / ".pyro-staging/left").write_text("x")
    before = {path: content for path, content in root.tree().items() if not path.startswith(".pyro-staging")}
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        journal.recover()
        assert root.tree() == before
        assert list(Path(journal.FOLDER).iterdir()) == []


@pytest.mark.parametrize(
    "line", ["not JSON", "[]", '["put"]', '["put","/workspace/a",5]', '["fly","/x"]', "{}"]
)
def test_a_journal_that_the_guest_forged_stops_nothing(root: Root, line: str) -> None:
    lines = f"{line}\n".encode()
    Path(journal.FOLDER).mkdir()
    Path(journal.FOLDER, "t.0").write_bytes(lines + b"end %08x\n" % zlib.crc32(lines))
    Path(journal.FOLDER, "folder.0").mkdir()
    journal.recover()
    assert root.tree() == {}


def test_without_any_transaction_nothing_is_looked_at(root: Root) -> None:
    journal.recover()
    assert not Path(journal.FOLDER).exists()


def test_what_the_first_transaction_had_received_when_it_was_killed_is_cleared_away(root: Root) -> None:
    (root.workspace / ".pyro-staging").mkdir()
    (root.workspace / ".pyro-staging/1-0").write_bytes(b"half")
    journal.recover()
    assert root.tree() == {}


def test_a_step_that_cannot_be_done_does_not_stop_an_attach(root: Root) -> None:
    Path(journal.FOLDER).mkdir()
    Journal.commit("t", [Step("make", "/workspace/none/below", mode=0o755)])
    journal.recover()
    assert root.tree() == {}
    assert list(Path(journal.FOLDER).iterdir()) == []
