import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.text.quoting import quote_name, take_quoted


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        (b"a b", b"a b"),
        (b"\xc3\xa9", b'"\\303\\251"'),
        (b'a"b', b'"a\\"b"'),
        (b"a\nb", b'"a\\nb"'),
        (b"\x01\x7f", b'"\\001\\177"'),
    ],
)
def test_names_are_quoted_as_git_quotes_them(name: bytes, quoted: bytes) -> None:
    assert quote_name(name) == quoted


@settings(derandomize=True, database=None, deadline=None)
@given(st.binary(max_size=30))
def test_what_is_quoted_reads_back(name: bytes) -> None:
    assert take_quoted(quote_name(name, always=True) + b" rest") == (name, b" rest")


def test_what_has_no_quotes_is_left_alone() -> None:
    assert take_quoted(b"plain") is None
    assert take_quoted(b'"open') is None


def test_an_unknown_escape_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        take_quoted(b'"\\q"')
