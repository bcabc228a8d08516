import json

import pytest

from pyro_mcp.mcp_server.bounds import bounded, bounded_text
from pyro_mcp.models.encoding import JsonObject


def test_what_fits_stays_as_it_is() -> None:
    answer: JsonObject = {"entries": ["a", "b"], "patch": "x"}
    assert bounded(answer) == (answer, [])
    assert bounded_text("text", []) == "text"


@pytest.mark.parametrize(
    "answer",
    [
        {"patch": "x" * 100_000, "files": []},
        {"patch": '"\n' * 50_000, "files": [{"path": "a" * 50}] * 2000},
        {"entries": [{"path": str(number)} for number in range(10_000)], "more": False},
    ],
)
def test_the_longest_parts_are_cut_and_told(answer: JsonObject) -> None:
    kept, cuts = bounded(answer, 2000)
    assert len(json.dumps(kept, ensure_ascii=False)) <= 2000
    assert set(kept) == set(answer)
    assert cuts
    assert all("first " in cut and " of " in cut for cut in cuts)


def test_a_text_that_is_cut_says_so_in_one_line() -> None:
    text = bounded_text("x" * 900 + "\n" + "y" * 5000, ["patch: first 5 of 9 characters"], 1000)
    assert text == "x" * 900 + "\n---\nCut at 900 of 5,901 characters: ask for less."
    assert len(bounded_text("x" * 5000, [], 1000).partition("\n")[0]) == 1000


def test_a_whole_text_says_what_was_cut_of_the_answer_beside_it() -> None:
    assert bounded_text("text", ["entries: first 5 of 9"]) == "text\n---\ncut: entries: first 5 of 9"
