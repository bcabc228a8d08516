"""Patterns that nobody vouches for."""

import time

import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.shells.matching import Matcher


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("ready", "not yet ready", True),
        ("^>>> $", "a\n>>> ", True),
        (r"port (\d+)", "port x", False),
        ("é.*本", "é 日本", True),
    ],
)
def test_what_is_found(pattern: str, text: str, found: bool) -> None:
    with Matcher(pattern) as matcher:
        assert matcher.matches("nothing") is False
        assert matcher.matches(text) is found
        assert matcher.matches(text) is found


@pytest.mark.parametrize("pattern", ["(", "x" * 5000, "a{99999999999}"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest), Matcher(pattern) as matcher:
        matcher.matches("text")


def test_a_pattern_that_would_take_for_ever_is_given_up() -> None:
    began = time.monotonic()
    with pytest.raises(InvalidRequest, match="cannot be waited for"), Matcher("(a+)+$") as matcher:
        matcher.matches("a" * 60 + "b")
    assert time.monotonic() - began < 20
