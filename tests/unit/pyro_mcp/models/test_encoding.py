import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.doors import ENVIRONMENTS, finished

from pyro_mcp.models.encoding import as_json, as_object
from pyro_mcp.models.seed import SeedReport


@dataclass(frozen=True)
class Thing:
    name: str
    inner: tuple["Thing", ...] = ()
    place: Path | None = None


@dataclass(frozen=True)
class Code:
    exit_code: int | None = None


def test_models_nest_and_keep_their_nulls() -> None:
    thing = Thing("a", (Thing("b", place=Path("/x")),))
    assert as_object(thing) == {
        "name": "a",
        "inner": [{"name": "b", "inner": [], "place": "/x"}],
        "place": None,
    }


def test_a_list_stands_under_its_plural() -> None:
    answer = as_object(ENVIRONMENTS, "environments")
    assert list(answer) == ["environments"]
    assert json.loads(json.dumps(answer))["environments"][0]["name"] == "debian:12"


def test_bytes_are_base64() -> None:
    assert as_json((b"\xff\x00",)) == ["/wA="]


def test_times_are_rfc_3339_in_utc() -> None:
    assert as_json(datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)) == "2026-01-02T03:04:05.678Z"
    assert as_json(datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-02T01:00:00.000Z"


def test_a_run_has_the_contracts_spelling() -> None:
    assert set(as_object(finished(7))) == {
        "outcome",
        "exit_code",
        "signal",
        "stdout",
        "stderr",
        "stdout_truncated",
        "stderr_truncated",
        "duration_ms",
        "environment",
        "seed",
        "isolation",
        "confinement",
        "output_id",
        "left_running",
        "no_network",
        "network",
    }


@pytest.mark.parametrize("stray", [object(), {1, 2}])
def test_what_does_not_belong_in_a_model_is_an_error(stray: object) -> None:
    with pytest.raises(TypeError):
        as_json({"x": stray})


def test_a_bare_list_is_no_answer() -> None:
    with pytest.raises(TypeError, match="neither a model nor a list"):
        as_object([1])


def test_a_sparse_answer_leaves_out_what_a_reader_takes_for_granted() -> None:
    """What has no default stays: the schema requires it. So does an empty text, which somebody may read."""
    assert as_object(Thing("a"), sparse=True) == {"name": "a"}
    assert as_object(Code(), sparse=True) == {}
    assert as_object(Code(0), sparse=True) == {"exit_code": 0}
    seed = as_object(SeedReport(kind="git", files=3), sparse=True)
    assert {name: fact for name, fact in seed.items() if name not in ("kind", "files")} == {
        "directories": 0,
        "symlinks": 0,
        "bytes": 0,
        "top": "",
    }
    told = as_object(finished(0), sparse=True)
    assert {"outcome", "exit_code", "stdout", "stderr"} <= set(told)
    assert not {"stdout_truncated", "network", "left_running", "no_network", "signal"} & set(told)
    assert as_object(finished(0, left_running=True), sparse=True)["left_running"] is True
