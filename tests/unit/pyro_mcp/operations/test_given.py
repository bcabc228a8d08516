import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.operations.given import input_of, words_of


def test_words_are_frozen_and_a_string_is_left_alone() -> None:
    assert words_of(["a", "b"]) == ("a", "b")
    assert words_of("a b") == "a b"


def test_input_is_bytes_or_a_descriptor() -> None:
    assert input_of(None) is None
    assert input_of("ä") == b"\xc3\xa4"
    assert input_of(b"\0") == b"\0"
    with open(0, "rb", closefd=False) as own:
        assert input_of(own) == 0


def test_something_that_is_no_file_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="stdin is a int"):
        input_of(5)  # type: ignore[arg-type]
