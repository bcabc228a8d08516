import json
import time
from collections.abc import Callable
from pathlib import Path

from pyro_mcp.keeper.egress.decisions import Decision, Decisions


class Clock:
    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        self.waiting.append((seconds, call))

    def run(self) -> float:
        seconds, call = self.waiting.pop(0)
        call()
        return seconds


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_like_decisions_are_counted_together(tmp_path: Path) -> None:
    record, clock = tmp_path / "record", Clock()
    decisions = Decisions(record, clock.after)
    for _ in range(3):
        decisions.note(Decision("refused", "a.b", 443, reason="because"))
    decisions.note(Decision("allowed", "c.d", 80, address="1.2.3.4"))
    assert _lines(record) == []
    assert clock.run() == 1.0
    first, second = _lines(record)
    assert int(str(first.pop("at"))) <= int(str(second.pop("at")))
    assert first == {"outcome": "refused", "host": "a.b", "port": 443, "reason": "because", "count": 3}
    assert second == {"outcome": "allowed", "host": "c.d", "port": 80, "address": "1.2.3.4", "count": 1}
    assert not clock.waiting


def test_a_flood_of_different_hosts_stays_small_and_its_sum_true(tmp_path: Path) -> None:
    record, clock = tmp_path / "record", Clock()
    decisions = Decisions(record, clock.after)
    for number in range(100_000):
        decisions.note(Decision("refused", f"host-{number}", 443))
        if number % 10_000 == 9_999:
            decisions.flush()
    lines = _lines(record)
    assert sum(int(str(line["count"])) for line in lines) == 100_000
    assert len(lines) < 600
    assert record.stat().st_size < 100_000
    assert lines[-1]["host"] == "(various)"


def test_without_lines_to_spend_sums_wait_longer(tmp_path: Path) -> None:
    clock = Clock()
    decisions = Decisions(tmp_path / "record", clock.after)
    for number in range(600):
        decisions.note(Decision("refused", f"host-{number}", 443))
    assert clock.run() == 1.0
    decisions.note(Decision("refused", "one-more", 443))
    assert clock.run() == 60.0


def test_a_disk_that_is_full_ends_nothing(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path / "no" / "folder", Clock().after)
    decisions.note(Decision("refused", "a", 1))
    decisions.flush()


def test_without_a_file_the_last_ones_are_kept_for_an_answer() -> None:
    decisions = Decisions(None, Clock().after)
    for number in range(60):
        decisions.note(Decision("refused", f"host-{number}", 443), count=2)
    decisions.flush()
    assert len(decisions.kept()) == 30
    assert decisions.kept()[-1].items() >= {"host": "host-59", "count": 2}.items()


def test_only_what_was_refused_since_then_is_told_to_a_command() -> None:
    decisions = Decisions(None, Clock().after)
    decisions.note(Decision("refused", "before", 1))
    decisions.note(Decision("refused", "again", 1))
    began = time.monotonic()
    decisions.note(Decision("allowed", "let", 1))
    decisions.note(Decision("refused", "again", 1))
    decisions.note(Decision("refused", "name", None, reason="no rule names it"))
    assert decisions.refused_since(began) == [
        {"outcome": "refused", "host": "again", "port": 1},
        {"outcome": "refused", "host": "name", "reason": "no rule names it"},
    ]
    for number in range(1000):
        decisions.note(Decision("refused", f"host-{number}", 443))
    assert len(decisions.refused_since(began)) == 5
