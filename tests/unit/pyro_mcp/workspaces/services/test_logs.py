"""Reading a service's log: the tail, on from a cursor, and what matches; what is gone is told."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pyro_mcp.keeper.services.log import ServiceLog
from pyro_mcp.mcp_server.texts import service
from pyro_mcp.models.service import ServiceLogs
from pyro_mcp.workspaces.services import logs
from pyro_mcp.workspaces.session import Sessions


class Log:
    """A service's directory, written as its keeper would."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._written = ServiceLog(directory, piece_bytes=100)
        sessions = SimpleNamespace(record=lambda _: SimpleNamespace(id="ws"))
        self._sessions = cast("Sessions", sessions)
        monkeypatch.setattr(logs, "find_service", lambda *_: None)
        monkeypatch.setattr(logs, "directory_of", lambda *_: directory)

    def write(self, text: str) -> None:
        self._written.write(text.encode())

    def read(self, **asked: object) -> ServiceLogs:
        given = {"tail_lines": 200, "cursor": None, "grep": None, "limit": 1000, **asked}
        return logs.service_logs(self._sessions, "ws", "web", **given)  # type: ignore[arg-type]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    return Log(tmp_path, monkeypatch)


def test_nothing_was_written(log: Log) -> None:
    assert log.read() == ServiceLogs(service="web", text="", cursor=0, next_cursor=0, size=0)


def test_the_last_lines_then_on_from_there(log: Log) -> None:
    log.write("one\ntwo\nthree\n")
    tail = log.read(tail_lines=2)
    assert (tail.text, tail.cursor, tail.next_cursor, tail.size) == ("two\nthree\n", 4, 14, 14)
    log.write("four\n")
    assert log.read(cursor=tail.next_cursor).text == "four\n"


def test_a_page_ends_with_a_whole_character(log: Log) -> None:
    log.write("ab→cd")
    page = log.read(cursor=0, limit=4)
    assert (page.text, page.next_cursor) == ("ab", 2)
    assert log.read(cursor=page.next_cursor, limit=5).text == "→cd"


def test_what_is_gone_is_counted(log: Log) -> None:
    for number in range(100):
        log.write(f"line {number:03d}\n")  # 9 bytes each; 200 to 300 of them are kept
    page = log.read(cursor=90)
    assert (page.cursor, page.dropped_bytes) == (600, 510)
    assert page.text.endswith("line 099\n")
    assert page.next_cursor == page.size == 900


def test_a_cursor_beyond_the_end_waits_there(log: Log) -> None:
    log.write("one\n")
    assert log.read(cursor=1000).next_cursor == 4


def test_matches_say_where_they_are_over_all_pieces(log: Log) -> None:
    log.write("".join(f"line {number:03d}\n" for number in range(20)))
    found = log.read(grep="line 0(05|15)$")
    assert found.text == "45: line 005\n135: line 015"
    assert found.matches == 2
    later = log.read(grep="line", cursor=171)
    assert (later.text, later.next_cursor) == ("171: line 019", 180)


def test_more_matches_than_an_answer_has_are_counted_and_a_cursor_leads_past_the_first(log: Log) -> None:
    log.write("x\n" * 140)
    found = log.read(grep="x")
    assert (found.matches, found.total_matches) == (100, 140)
    assert service.logs_text(found).startswith("first 100 lines that match, of 140 (position: line)")
    assert log.read(grep="x", cursor=270).text == "\n".join(f"{at}: x" for at in range(270, 280, 2))
