from dataclasses import dataclass, field
from datetime import UTC, datetime

from pyro_mcp.models.encoding import as_object
from pyro_mcp.models.events import WorkspaceEvent, WorkspaceLogs
from pyro_mcp.models.narrowing import ONLY_FULL, narrowed, only_full_names


@dataclass(frozen=True)
class Inner:
    name: str
    secrets: tuple[str, ...] = field(default=(), metadata=ONLY_FULL)


@dataclass(frozen=True)
class Outer:
    inner: Inner
    others: tuple[Inner, ...] = ()
    network_policy: str | None = field(default=None, metadata=ONLY_FULL)


FOUND = Outer(Inner("a", ("TOKEN",)), (Inner("b", ("KEY",)),), "egress")


def test_such_fields_are_found_at_any_depth() -> None:
    assert only_full_names(Outer) == {"secrets", "network_policy"}
    assert only_full_names(list[Outer]) == {"secrets", "network_policy"}
    assert only_full_names(str) == frozenset()


def test_a_narrowed_answer_tells_nothing_of_them() -> None:
    assert narrowed(FOUND) == Outer(Inner("a"), (Inner("b"),))
    assert narrowed([FOUND]) == [narrowed(FOUND)]


def test_its_json_does_not_even_have_them() -> None:
    assert as_object(FOUND, narrow=True) == {"inner": {"name": "a"}, "others": [{"name": "b"}]}
    assert "network_policy" in as_object(FOUND)


def test_a_narrow_history_has_nothing_of_what_its_profile_keeps_out() -> None:
    kinds = ("create", "network", "shell.open", "service.start", "snapshot.create", "exec", "file.edit")
    events = tuple(
        WorkspaceEvent(sequence=number, at=datetime.now(UTC), kind=kind, outcome="done", hash="")
        for number, kind in enumerate(kinds)
    )
    shown = as_object(WorkspaceLogs(events=events), narrow=True)["events"]
    assert [item["kind"] for item in shown] == ["create", "exec", "file.edit"]  # type: ignore[union-attr, index, call-overload]
