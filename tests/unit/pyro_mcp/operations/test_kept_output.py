import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyro_mcp.operations.kept_output import KeptOutput


def _kept(chunks: list[bytes], limit: int | None) -> KeptOutput:
    kept = KeptOutput(limit)
    for chunk in chunks:
        kept.add(chunk)
    return kept


def test_without_a_limit_everything_is_kept() -> None:
    kept = _kept([b"a" * 100_000, b"b" * 100_000], None)
    assert kept.text() == "a" * 100_000 + "b" * 100_000
    assert not kept.truncated


@pytest.mark.parametrize("limit", [0, 1, 2, 10])
def test_what_just_fits_is_not_cut(limit: int) -> None:
    kept = _kept([b"x"] * limit, limit)
    assert kept.text() == "x" * limit
    assert not kept.truncated


def test_head_and_tail_remain_and_the_cut_is_told() -> None:
    kept = _kept([b"0123456789" * 10], 20)
    assert kept.text() == "0123456789\n[... 80 bytes cut ...]\n0123456789"
    assert kept.truncated


@given(st.lists(st.binary(max_size=50)), st.integers(0, 60))
def test_any_chunking_keeps_the_same_head_and_tail_within_the_limit(chunks: list[bytes], limit: int) -> None:
    kept, whole = _kept(chunks, limit), b"".join(chunks)
    head, tail = b"".join(kept._head), b"".join(kept._tail)
    assert len(head) + len(tail) == min(len(whole), limit)
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert kept.truncated == (len(whole) > limit)


def test_a_character_that_the_cut_goes_through_is_left_out_whole() -> None:
    text = _kept(["ä".encode() * 20], 10).text()
    assert "\N{REPLACEMENT CHARACTER}" not in text
    assert text.count("ä") == 4


def test_what_is_not_utf_8_is_shown_as_such() -> None:
    assert _kept([b"\xff\xfe"], None).text() == "\N{REPLACEMENT CHARACTER}" * 2
