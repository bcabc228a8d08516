"""Shells as a model reads them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pyro_mcp.mcp_server.texts.shell import (
    raw_text,
    shell_opened_text,
    shell_read_text,
    shell_written_text,
    shells_text,
)
from pyro_mcp.models.shell import ShellInfo, ShellText, ShellWritten


def read(**others: object) -> ShellText:
    facts = {
        "shell_id": "sh-1",
        "text": "$ ls\nfile\n$ ",
        "view": "text",
        "cursor": 99,
        "state": "prompt",
        "exit_code": 0,
        "cursor_row": 3,
        "cursor_column": 3,
        **others,
    }
    return ShellText(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({}, "$ ls\nfile\n$ \n---\nat its prompt, last exit_code 0"),
        (
            {"text": "", "state": "running", "waited": "timeout"},
            "(nothing new)\n---\na command runs; the wait timed out",
        ),
        ({"state": "continuation"}, "waits for the rest of a line (ctrl-c gives it up)"),
        ({"state": "running", "full_screen": True, "view": "screen"}, "cursor at row 3, column 3"),
        ({"state": "ended", "ended": "it exited with status 3"}, "ended: it exited with status 3"),
        ({"truncated": True}, "there is more: go on with cursor=99"),
        ({"skipped_from": 7}, "[older lines are left out; cursor=7 reads them]\n$ ls"),
        ({"dropped_bytes": 7}, "[7 bytes before this are not kept any more]\n$ ls"),
        ({"waited": "pattern", "state": "running"}, "the pattern matched"),
        ({"raw": b"a\x1b[1m\r\n\xff", "view": "raw"}, "a\\x1b[1m\\r\n\\xff\n---"),
    ],
)
def test_what_was_read_and_how_it_stands(others: dict[str, object], said: str) -> None:
    assert said in shell_read_text(read(**others))


def test_an_opened_shell_is_named_and_a_resumed_workspace_told() -> None:
    opened = shell_opened_text(read(resumed=True, resumed_reason="it was idle"))
    assert opened.startswith("shell sh-1 is open\nThe workspace was started again first: it was idle.")
    assert "services and shells have ended.\n$ ls" in opened


def test_what_was_typed_is_answered_with_what_came_of_it_where_it_was_waited_for() -> None:
    typed = ShellWritten(shell_id="sh-1", cursor=0, written_bytes=3)
    assert shell_written_text(typed).startswith("typed 3 bytes into sh-1")
    assert shell_written_text(replace(typed, read=read())) == shell_read_text(read())


def test_raw_bytes_hold_nothing_that_a_terminal_acts_on() -> None:
    assert raw_text(bytes(range(256))).replace("\n", "").isprintable()


def test_the_list() -> None:
    info = ShellInfo(
        shell_id="sh-1",
        state="running",
        exit_code=None,
        program="/bin/bash",
        cwd="/workspace",
        cols=120,
        rows=30,
        full_screen=False,
        attached=1,
        opened_at=datetime.now(UTC),
        ended=None,
    )
    assert (
        shells_text([info]) == "sh-1: a command runs, /bin/bash in /workspace, 120x30, a person is attached"
    )
    assert "shell_open" in shells_text([])
