"""Read what test runners say at their end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_LONGEST_LINE = 400
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tests a runner counted, and which runner it was."""

    runner: str
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0


def read_counts(text: str) -> Counts | None:
    """Find the counts in what a command wrote; None where no runner that is known here has spoken."""
    # Short lines keep every expression quick, whatever a guest writes.
    plain = "\n".join(line[:_LONGEST_LINE] for line in _ESCAPES.sub("", text).splitlines())
    return next((counts for read in _RUNNERS if (counts := read(plain)) is not None), None)


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0


def _total(pattern: str, text: str) -> int:
    return sum(map(int, re.findall(pattern, text, re.MULTILINE)))


_PYTEST = re.compile(
    r"^(?:=+ )?((?:\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?|subtests passed|rerun)(?:, )?)+)"
    r" in [\d.]+ ?s",
    re.MULTILINE,
)


def _pytest(text: str) -> Counts | None:
    lines = _PYTEST.findall(text)
    if not lines:
        return None
    last = lines[-1]
    skipped = _number(r"(\d+) skipped", last) + _number(r"(\d+) xfailed", last)
    passed = _number(r"(\d+) passed", last) + _number(r"(\d+) xpassed", last)
    return Counts("pytest", passed, _number(r"(\d+) failed", last), _number(r"(\d+) error", last), skipped)


def _unittest(text: str) -> Counts | None:
    ended = re.findall(r"^Ran (\d+) tests? in [\d.]+s\s+^(OK|FAILED|NO TESTS RAN)(.*)$", text, re.MULTILINE)
    if not ended:
        return None
    ran, _, rest = ended[-1]
    failed, errors = _number(r"failures=(\d+)", rest), _number(r"errors=(\d+)", rest)
    skipped = _number(r"skipped=(\d+)", rest) + _number(r"expected failures=(\d+)", rest)
    return Counts("unittest", max(int(ran) - failed - errors - skipped, 0), failed, errors, skipped)


def _cargo(text: str) -> Counts | None:
    said = r"^test result: \w+\. .*?\b(\d+) {}"
    if not re.search(r"^test result: ", text, re.MULTILINE):
        return None
    passed, failed, ignored = (_total(said.format(word), text) for word in ("passed", "failed", "ignored"))
    return Counts("cargo", passed, failed, 0, ignored)


def _jest(text: str) -> Counts | None:
    """Jest and Vitest."""
    lines = re.findall(r"^[ \t]*Tests:?\s+(.*\d+ (?:passed|failed|skipped).*)$", text, re.MULTILINE)
    if not lines:
        return None
    last = lines[-1]
    skipped = _number(r"(\d+) skipped", last) + _number(r"(\d+) todo", last)
    return Counts("jest", _number(r"(\d+) passed", last), _number(r"(\d+) failed", last), 0, skipped)


def _mocha(text: str) -> Counts | None:
    if not re.search(r"^[ \t]*\d+ passing \(", text, re.MULTILINE):
        return None
    passing, failing, pending = (
        _total(rf"^[ \t]*(\d+) {word}\b", text) for word in ("passing", "failing", "pending")
    )
    return Counts("mocha", passing, failing, 0, pending)


def _node(text: str) -> Counts | None:
    """Node's own runner, and whatever else ends TAP with its counts."""
    if not re.search(r"^(?:#|ℹ) tests \d+$", text, re.MULTILINE):
        return None
    passed, failed, skipped = (
        _total(rf"^(?:#|ℹ) {word} (\d+)$", text) for word in ("pass", "fail", "skipped")
    )
    return Counts("node", passed, failed, 0, skipped)


def _go(text: str) -> Counts | None:
    """Tests where -v lists them, else packages."""
    listed = [
        len(re.findall(rf"^[ \t]*--- {word}: ", text, re.MULTILINE)) for word in ("PASS", "FAIL", "SKIP")
    ]
    packages = len(re.findall(r"^ok\s+\S+\s+(?:[\d.]+s|\(cached\))", text, re.MULTILINE))
    broken = len(re.findall(r"^FAIL\s+\S+\s+(?:[\d.]+s|\[)", text, re.MULTILINE))
    if not packages and not broken:
        return None
    if listed[0]:
        return Counts("go", listed[0], listed[1], 0, listed[2])
    return Counts("go (packages)", packages, broken)


def _maven(text: str) -> Counts | None:
    ended = re.findall(
        r"Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)\s*$", text, re.MULTILINE
    )
    if not ended:
        return None
    ran, failed, errors, skipped = map(int, ended[-1])
    return Counts("maven", ran - failed - errors - skipped, failed, errors, skipped)


def _ctest(text: str) -> Counts | None:
    ended = re.search(r"^\d+% tests passed, (\d+) tests? failed out of (\d+)$", text, re.MULTILINE)
    if not ended:
        return None
    failed, ran = map(int, ended.groups())
    return Counts("ctest", ran - failed, failed)


def _rspec(text: str) -> Counts | None:
    ended = re.findall(r"^(\d+) examples?, (\d+) failures?(?:, (\d+) pending)?", text, re.MULTILINE)
    if not ended:
        return None
    ran, failed, pending = (int(count or 0) for count in ended[-1])
    return Counts("rspec", ran - failed - pending, failed, 0, pending)


def _tap(text: str) -> Counts | None:
    plan = re.search(r"^1\.\.\d+$", text, re.MULTILINE)
    failed = len(re.findall(r"^not ok \d+(?!.*# (?:TODO|SKIP))", text, re.MULTILINE))
    skipped = len(re.findall(r"^(?:not )?ok \d+.*# (?:TODO|SKIP)", text, re.MULTILINE | re.IGNORECASE))
    passed = len(re.findall(r"^ok \d+", text, re.MULTILINE)) - skipped
    return Counts("tap", max(passed, 0), failed, 0, skipped) if plan else None


_RUNNERS: tuple[Callable[[str], Counts | None], ...] = (
    _pytest,
    _unittest,
    _cargo,
    _jest,
    _mocha,
    _node,
    _go,
    _maven,
    _ctest,
    _rspec,
    _tap,
)
