from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyro_mcp.errors import InvalidRequest, NotFound
from pyro_mcp.workspaces.outputs import matcher, search
from pyro_mcp.workspaces.outputs.store import OutputStore, shorten


@pytest.fixture
def store(tmp_path: Path) -> OutputStore:
    return OutputStore(tmp_path / "outputs")


def filled(store: OutputStore, stdout: bytes, stderr: bytes = b"") -> str:
    output_id, directory = store.new()
    (directory / "stdout").write_bytes(stdout)
    (directory / "stderr").write_bytes(stderr)
    return output_id


def test_an_output_is_paged_by_bytes(store: OutputStore) -> None:
    made = filled(store, b"0123456789")
    first = store.read(made, "stdout", limit=4)
    assert (first.data, first.offset, first.next_offset, first.size) == (b"0123", 0, 4, 10)
    assert store.read(made, "stdout", offset=first.next_offset, limit=99).data == b"456789"
    assert store.read(made, "stdout", offset=-3).data == b"789"
    assert store.read(made, "stdout", offset=99).data == b""
    assert store.read(made, "stderr").data == b""


def test_a_file_may_grow_between_two_pages(store: OutputStore) -> None:
    made = filled(store, b"one\n")
    page = store.read(made, "stdout")
    with store.path(made, "stdout").open("ab") as file:
        file.write(b"two\n")
    assert store.read(made, "stdout", offset=page.next_offset).data == b"two\n"


@given(st.binary(max_size=60) | st.text(max_size=30).map(str.encode), st.integers(4, 12))
def test_pages_join_to_the_whole_whatever_the_bytes(data: bytes, limit: int) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as directory:
        store = OutputStore(Path(directory))
        made = filled(store, data)
        pages, at = [], 0
        while (page := store.read(made, "stdout", offset=at, limit=limit)).data:
            pages.append(page.data)
            at = page.next_offset
        assert b"".join(pages) == data
        try:
            whole = data.decode()
        except UnicodeDecodeError:
            return
        assert "".join(part.decode() for part in pages) == whole


TEN = b"".join(b"line %d\n" % number for number in range(10))


@pytest.mark.parametrize(
    ("data", "lines", "limit", "tail"),
    [
        (TEN, 2, 1000, b"line 8\nline 9\n"),
        (TEN, 99, 1000, TEN),
        (TEN, 5, 10, b"line 9\n"),
        (TEN + b"unfinished", 2, 1000, b"line 9\nunfinished"),
        (b"x" * 100, 1, 10, b"x" * 10),
        (b"x" * 100 + b"\n", 3, 10, b"x" * 9 + b"\n"),
        (b"", 3, 10, b""),
        (b"\n\n\n", 2, 10, b"\n\n"),
        (TEN, 0, 1000, b""),
    ],
)
def test_the_tail_is_whole_lines_where_there_are_any(
    store: OutputStore, data: bytes, lines: int, limit: int, tail: bytes
) -> None:
    found = store.tail(filled(store, data), "stdout", lines=lines, limit=limit)
    assert found.data == tail
    assert found.next_offset == found.size == len(data)


def test_what_fits_is_given_whole(store: OutputStore) -> None:
    found = store.shortened(filled(store, TEN), "stdout", len(TEN))
    assert (found.text, found.truncated) == (TEN.decode(), False)


def test_what_does_not_fit_keeps_beginning_and_end_and_says_what_was_cut() -> None:
    data = b"".join(b"line %d of many\n" % number for number in range(1000))
    found = shorten(data, 1000)
    head, mark, tail = found.text.partition("[...")
    assert data.decode().startswith(head)
    assert head.endswith("\n")
    assert tail.endswith("line 999 of many\n")
    kept = len(head) + len(tail.partition("\n")[2])
    lines = 1000 - head.count("\n") - (tail.count("\n") - 1)
    assert f"[... {lines} lines ({len(data) - kept:,} bytes) cut ...]\n" in mark + tail
    assert found.cut_bytes == len(data) - kept


def test_one_endless_line_is_cut_in_the_middle() -> None:
    found = shorten(b"a" * 5000 + b"b" * 5000, 500)
    assert found.text.startswith("aaa")
    assert found.text.endswith("bbb")
    assert "bytes cut" in found.text


@given(st.lists(st.text(max_size=40) | st.just("x" * 300)).map("\n".join), st.integers(0, 600))
def test_the_budget_holds_and_no_character_is_broken(text: str, budget: int) -> None:
    found = shorten(text.encode(errors="surrogatepass"), budget)
    if "\ufffd" not in text:
        try:
            text.encode()
        except UnicodeEncodeError:
            return
        assert "\ufffd" not in found.text
    assert len(found.text) <= max(budget, 100)
    assert found.truncated or found.text == text


@given(st.binary(max_size=3000), st.integers(0, 600))
def test_the_budget_holds_for_any_bytes(data: bytes, budget: int) -> None:
    found = shorten(data, budget)
    assert len(found.text) <= max(budget, 100)
    assert found.truncated or found.text == data.decode(errors="replace")


def test_what_one_stream_does_not_need_is_the_others(store: OutputStore) -> None:
    found = store.both(filled(store, b"x" * 900, b"short"), 1000)
    assert (found["stdout"].truncated, found["stderr"].text) == (False, "short")
    both = store.both(filled(store, b"x" * 9000, b"y" * 9000), 1000)
    assert both["stdout"].truncated
    assert both["stderr"].truncated
    assert sum(len(part.text) for part in both.values()) <= 1000


@pytest.mark.parametrize("output_id", ["out-aaaaaaaaaa", "../x", "", "out-AAAAAAAAAA", "/etc"])
def test_an_unknown_output_is_not_found(store: OutputStore, output_id: str) -> None:
    filled(store, b"")
    with pytest.raises(NotFound) as missing:
        store.read(output_id, "stdout")
    assert missing.value.hint


def test_outputs_are_counted_and_removed(store: OutputStore) -> None:
    assert store.total_size() == 0
    made = filled(store, b"x" * 10000)
    assert store.total_size() >= 10000
    store.remove_all()
    with pytest.raises(NotFound):
        store.size(made, "stdout")


LOG = b"ok a\nFAILED b\nok c\nFAILED d\nlast FAILED"


def test_grep_gives_numbers_offsets_and_text(store: OutputStore) -> None:
    made = filled(store, LOG)
    for pattern in ("FAILED", r"FA\w+ED"):
        found = store.grep(made, "stdout", pattern)
        assert [(m.line, m.text) for m in found.matches] == [
            (2, "FAILED b"),
            (4, "FAILED d"),
            (5, "last FAILED"),
        ]
        assert [LOG[m.offset :].startswith(m.text.encode()) for m in found.matches] == [True] * 3
        assert found.complete
    cut = store.grep(made, "stdout", "^FAILED", limit=1)
    assert (len(cut.matches), cut.complete, cut.gave_up) == (1, False, False)
    assert store.grep(made, "stdout", "nowhere$").matches == ()


@pytest.mark.parametrize("pattern", ["row", "^row"])
def test_grep_counts_all_that_match_and_gives_those_at_either_end(store: OutputStore, pattern: str) -> None:
    made = filled(store, b"".join(b"row %d\n" % number for number in range(5_001)))
    first = store.grep(made, "stdout", pattern)
    assert ([first.matches[0].text, first.matches[-1].text], first.total) == (["row 0", "row 99"], 5_001)
    last = store.grep(made, "stdout", pattern, limit=2, from_end=True)
    assert ([match.text for match in last.matches], last.total) == (["row 4999", "row 5000"], 5_001)
    assert [match.line for match in last.matches] == [5_000, 5_001]


def test_matches_that_take_too_long_to_count_are_more_than_those_shown(
    store: OutputStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matcher, "COUNTING_SECONDS", 0)
    found = store.grep(filled(store, LOG), "stdout", "FAILED", limit=1)
    assert (len(found.matches), found.total, found.complete, found.gave_up) == (1, None, False, False)


def test_a_pattern_that_takes_forever_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "stdout"
    path.write_bytes(b"aa\n" + b"a" * 60 + b"b\n")
    found = search.search(path, "^(a+)+$", 10, seconds=0.3)
    assert [match.text for match in found.matches] == ["aa"]
    assert (found.complete, found.gave_up) == (False, True)


@pytest.mark.parametrize(
    "pattern", ["(", "*", "a{1000000}{1000000}", "(?P<x>a)(?P<x>b)", "\\", "x" * 5000, "(" * 4000]
)
def test_a_pattern_that_is_none_is_refused(store: OutputStore, pattern: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        store.grep(filled(store, LOG), "stdout", pattern)
    assert refused.value.hint


def test_long_lines_and_odd_bytes_are_searched_within_bounds(store: OutputStore) -> None:
    made = filled(store, b"x" * 200_000 + b"needle\n" + b"\xff\xfeneedle" + b"y" * 2000 + b"\r\nneedle")
    found = store.grep(made, "stdout", "needle")
    assert [match.line for match in found.matches] == [2, 3]
    assert all(len(match.text) <= 502 for match in found.matches)
    assert found.matches[1].text == "needle"
