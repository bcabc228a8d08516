import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyro_mcp.workspaces.history import events
from pyro_mcp.workspaces.registry import Registry, workspaces
from pyro_mcp.workspaces.registry.makers import this_process
from pyro_mcp.workspaces.registry.workspaces import NewWorkspace

WS = "ws-aaaaaaaaaa"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    opened = Registry(tmp_path / "registry.sqlite")
    with opened.changing() as change:
        for name in (WS, "ws-bbbbbbbbbb"):
            workspaces.add(
                change, NewWorkspace(id=name, environment="e", environment_digest="d"), this_process()
            )
    return opened


def fill(registry: Registry, kinds: list[str]) -> None:
    with registry.changing() as change:
        for kind in kinds:
            events.append(change, WS, kind, data={"n": kind})


def test_events_come_back_in_order_and_by_page(registry: Registry) -> None:
    fill(registry, ["create", "exec", "file.write", "exec", "file.edit"])
    with registry.reading() as reading:
        first = events.page(reading, WS, limit=2)
        assert [e.kind for e in first.events] == ["create", "exec"]
        assert first.next_after == 2
        rest = events.page(reading, WS, after=2, limit=9)
        assert [e.sequence for e in rest.events] == [3, 4, 5]
        assert rest.next_after is None
        assert [e.kind for e in events.page(reading, WS, kind="exec").events] == ["exec", "exec"]
        assert [e.kind for e in events.page(reading, WS, kind="file").events] == ["file.write", "file.edit"]
        assert [e.kind for e in events.latest(reading, WS, limit=2)] == ["exec", "file.edit"]
        last = events.latest(reading, WS, limit=1)[0]
        assert events.page(reading, WS, since=last.at + timedelta(seconds=1)).events == ()
        assert events.page(reading, "ws-bbbbbbbbbb").events == ()


def test_an_event_of_a_change_that_failed_never_was(registry: Registry) -> None:
    def interrupted() -> None:
        with registry.changing() as change:
            events.append(change, WS, "create")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with registry.reading() as reading:
        assert events.page(reading, WS).events == ()
        assert events.verify_chain(reading, WS) == ()


def test_the_model_shows_what_was_recorded(registry: Registry) -> None:
    with registry.changing() as change:
        made = events.append(
            change, WS, "exec", outcome="finished", duration_ms=12, data={"command": ["ls", "-l"]}
        )
    shown = events.shown(made)
    assert shown.data == {"command": ["ls", "-l"]}
    assert (shown.sequence, shown.outcome, shown.duration_ms, shown.hash) == (1, "finished", 12, made.hash)


DAMAGE = {
    "data": "UPDATE events SET data = '{}' WHERE sequence = 3",
    "time": "UPDATE events SET at = at + 1 WHERE sequence = 3",
    "outcome": "UPDATE events SET outcome = 'finished' WHERE sequence = 3",
    "gap": "DELETE FROM events WHERE sequence = 3",
    "beginning": "DELETE FROM events WHERE sequence = 1",
    "end": "DELETE FROM events WHERE sequence = 5",
    "all": "DELETE FROM events",
    "hash": "UPDATE events SET hash = 'x' WHERE sequence = 5",
    "moved": "UPDATE events SET workspace_id = 'ws-bbbbbbbbbb' WHERE sequence = 5",
    "swapped": "UPDATE events SET sequence = CASE sequence WHEN 2 THEN -3 ELSE -2 END WHERE sequence IN (2, 3);",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_the_chain_shows_damage_and_gaps(registry: Registry, damage: str) -> None:
    fill(registry, ["create", "exec", "exec", "exec", "stop"])
    with registry.reading() as reading:
        assert events.verify_chain(reading, WS) == ()
    with registry.changing() as change:
        change.run(damage)
        change.run("UPDATE events SET sequence = -sequence WHERE sequence < 0")
    with registry.reading() as reading:
        assert events.verify_chain(reading, WS) or events.verify_chain(reading, "ws-bbbbbbbbbb")
        assert events.verify_chain(reading, WS) != ()


def test_a_gap_is_named(registry: Registry) -> None:
    fill(registry, ["a", "b", "c", "d"])
    with registry.changing() as change:
        change.run("DELETE FROM events WHERE sequence IN (2, 3)")
    with registry.reading() as reading:
        assert events.verify_chain(reading, WS) == (events.ChainFault(2, "events 2 to 3 are missing"),)


def test_secrets_are_redacted_everywhere_before_anything_is_cut(registry: Registry) -> None:
    secret = "s3cr3t" * 200
    data: dict[str, events.Json] = {
        secret: 1,
        "list": [f"x{secret}x", {"deep": secret}],
        "long": "y" * 1020 + secret,
    }
    with registry.changing() as change:
        made = events.append(change, WS, "exec", data=data, redact=lambda text: text.replace(secret, "***"))
    assert "s3cr3t" not in made.data
    assert "***" in made.data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=6),
    max_leaves=10,
)
LONG = st.integers(900, 30_000).map(lambda n: "é" * n) | st.integers(40, 4000).map(lambda n: ["x"] * n)


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=300), JSON | LONG, max_size=30))
def test_whatever_the_data_the_record_is_bounded_json(data: dict[str, events.Json]) -> None:
    text = events.encode_data(data, events.nothing_secret)
    assert len(text.encode()) <= 8 * 1024
    assert isinstance(json.loads(text), dict)


def test_short_data_are_kept_whole() -> None:
    assert events.encode_data({"a": [1, None, "é"]}, events.nothing_secret) == '{"a":[1,null,"é"]}'
