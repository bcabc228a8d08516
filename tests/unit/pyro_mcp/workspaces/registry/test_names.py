import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.registry.names import (
    NAME,
    RESERVED,
    check_name,
    generate_name,
    looks_like_id,
    new_id,
    suggestion,
)
from pyro_mcp.workspaces.registry.words import ADJECTIVES, NOUNS


def test_an_id_is_short_plain_and_new_each_time() -> None:
    ids = {new_id("ws") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"ws-[0-9a-hjkmnp-tv-z]{10}", made) and looks_like_id(made) for made in ids)


@pytest.mark.parametrize("name", ["issue-123", "a", "0", "a" * 63, "ws-", "ws-short", "x-4h7k2m9qxz"])
def test_names_that_can_be(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-a",
        "A",
        "a_b",
        "a b",
        "a" * 64,
        "é",
        "a\n",
        "../x",
        "ws-4h7k2m9qxz",
        "ex-aaaaaaaaaa",
        *sorted(RESERVED),
    ],
)
def test_names_that_cannot_be_come_with_one_that_can(name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_name(name)
    assert refused.value.hint
    offered = re.search(r"'(.*)'", refused.value.hint)
    assert offered
    assert check_name(offered.group(1))


@given(st.text())
def test_a_suggestion_is_always_a_name_that_can_be(text: str) -> None:
    assert check_name(suggestion(text))


def test_every_generated_name_can_be() -> None:
    for word in (f"{adjective}-{noun}" for adjective in ADJECTIVES for noun in NOUNS):
        assert NAME.fullmatch(word)
        assert not looks_like_id(word), word


def test_generated_names_go_on_when_the_pairs_run_out() -> None:
    taken = {f"{adjective}-{noun}" for adjective in ADJECTIVES for noun in NOUNS}
    for _ in range(20):
        name = generate_name(taken)
        assert name not in taken
        taken.add(check_name(name))
