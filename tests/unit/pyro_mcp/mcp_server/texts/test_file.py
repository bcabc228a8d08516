"""Files as a model reads them: what is left out is said, and what gives it."""

import subprocess
from dataclasses import replace
from pathlib import Path

from pyro_mcp.mcp_server.bounds import MOST_TEXT
from pyro_mcp.mcp_server.texts.by_operation import TEXTS
from pyro_mcp.mcp_server.texts.file import content_text, search_text
from pyro_mcp.models.file import FileContent, SearchResult


def _content(
    content: str, *, start: int = 1, end: int, total: int, truncated: bool = False, cut_chars: int = 0
) -> FileContent:
    return FileContent(
        path="it's here",
        content=content,
        encoding="utf-8",
        start_line=start,
        end_line=end,
        total_lines=total,
        size=9,
        mode="0644",
        sha256="0" * 64,
        truncated=truncated,
        cut_chars=cut_chars,
    )


def test_a_cut_line_says_how_much_is_missing_and_what_prints_it(tmp_path: Path) -> None:
    shown = "é" * 20
    text = content_text(_content(shown, start=2, end=2, total=3, truncated=True, cut_chars=10))
    head, cut, step = text.rpartition("---\n")[2].partition("\n")
    assert "line 2 cut: first 20 of 30 characters" in head
    assert step == "Go on with start_line=3."
    (tmp_path / "it's here").write_text(f"one\n{shown}{'z' * 10}\nthree\n")
    command = head.partition("what ")[2].removesuffix(" prints.")
    assert subprocess.check_output(command, shell=True, cwd=tmp_path, text=True) == "z" * 10 + "\n"
    assert cut == "\n"


def test_a_cut_last_line_leads_nowhere_else() -> None:
    text = content_text(_content("abc", end=1, total=1, truncated=True, cut_chars=7))
    assert "first 3 of 10" in text
    assert "Go on" not in text


def test_numbers_stand_before_lines_that_end_in_a_line_feed_and_in_nothing_else() -> None:
    text = content_text(_content("a\fb\r\n\u2028c\n", end=2, total=2))
    assert text.partition("\n")[2] == "     1  a\fb\n     2  \u2028c"


def test_a_model_is_led_on_from_the_last_line_that_its_answer_has_room_for() -> None:
    found = _content("x\n" * 9000, end=9000, total=9000)
    text = TEXTS["workspace_file_read"](found)
    assert len(text) <= MOST_TEXT
    last = int(text.splitlines()[-3].split()[0])
    assert text.endswith(f"Go on with start_line={last + 1}.")
    assert f"lines 1 to {last} of 9000" in text
    assert content_text(found).count("\n") == 9000


def test_no_hit_tells_how_much_was_searched() -> None:
    none = SearchResult(matches=(), files=0, searched=11, skipped_binary=0)
    assert search_text(none) == "No match in 11 files."
    assert search_text(replace(none, searched=1, skipped_binary=2, skipped_large=1)) == (
        "No match in 1 file; not searched: 2 binary, 1 larger than 16 MiB."
    )
    assert "ended before its end" in search_text(replace(none, more=True))
