"""What the history says of a workspace's commands and connections since its baseline."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from pyro_mcp.errors import PyroError
from pyro_mcp.models.run import StreamName
from pyro_mcp.models.summary import Connections, FailedCommand, TestCounts
from pyro_mcp.models.workspace import ExecOutcome
from pyro_mcp.workspaces.history import events
from pyro_mcp.workspaces.history.events import Event
from pyro_mcp.workspaces.outputs.store import OutputStore
from pyro_mcp.workspaces.registry.database import Reading
from pyro_mcp.workspaces.summary.runners import read_counts
from pyro_wire.messages import Message

_PAGE = 500
# A test runner's counts are in its last lines; reading all of what a hundred builds wrote would take seconds.
_TAIL_BYTES = 32 << 10
_TAIL_LINES = 400
_LONGEST_COMMAND = 200
_FAILED_SHOWN = 20
_DESTINATIONS_SHOWN = 20
# What pyro's own operations change; commands change files as well, but nobody recorded which.
_CHANGING = frozenset({"file.write", "file.edit", "file.remove", "patch.apply", "sync.push"})

# How a command ended, by its id: what its keeper left word of, None where it still runs or nobody knows.
KeptResult = Callable[[str], Message | None]


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was run, and how it ended. `changed_before`: pyro's own operations had changed files by then;
    `changed_since`: they did when it had been started.
    """

    words: str
    outcome: ExecOutcome
    exit_code: int | None
    duration_ms: int
    output_id: str
    at: datetime
    changed_before: bool
    changed_since: bool = False

    @property
    def failed(self) -> bool:
        """Whether it ended, and not well."""
        return self.outcome not in ("finished", "running") or self.exit_code not in (0, None)


def since_start(
    reading: Reading, workspace_id: str, created: datetime
) -> tuple[datetime, str | None, list[Event]]:
    """Give when the last reset was, to which snapshot, and the events since; those since the creation where there was none."""
    resets = [
        event
        for event in events.latest(reading, workspace_id, kind="reset", limit=20)
        if event.outcome == "done"
    ]
    if not resets:
        return created, None, list(_pages(reading, workspace_id, 0))
    last = resets[-1]
    reset_to = str(json.loads(last.data).get("snapshot", "baseline"))
    return last.at, reset_to, list(_pages(reading, workspace_id, last.sequence))


def commands_in(history: Sequence[Event], kept: KeptResult) -> list[Command]:
    """Give the commands in the order they were started; of one that was answered before its end, how it ended since."""
    changes = [event.sequence for event in history if event.kind in _CHANGING and event.outcome == "done"]
    first, last = (changes[0], changes[-1]) if changes else (math.inf, -math.inf)
    commands = (
        _command(event, kept, changed_before=first < event.sequence, changed_since=event.sequence < last)
        for event in history
        if event.kind == "exec"
    )
    return [command for command in commands if command is not None]


def failed_commands(commands: Sequence[Command]) -> tuple[FailedCommand, ...]:
    """Give the newest of those that failed, oldest first."""
    failed = [command for command in commands if command.failed][-_FAILED_SHOWN:]
    return tuple(
        FailedCommand(
            command=command.words,
            outcome=command.outcome,
            exit_code=command.exit_code,
            output_id=command.output_id,
            at=command.at,
        )
        for command in failed
    )


def tests_of(
    commands: Sequence[Command], outputs: OutputStore
) -> tuple[TestCounts | None, TestCounts | None]:
    """Give the first test run, if it was before any change, and the last."""
    untouched = (command for command in commands if not command.changed_before)
    before = next((counts for command in untouched if (counts := _counts(command, outputs))), None)
    after = next((counts for command in reversed(commands) if (counts := _counts(command, outputs))), None)
    return before, after


def connections_in(history: Sequence[Event]) -> Connections:
    """Count what the machine tried to reach; a name that was only looked up counts where it was refused."""
    counts, tried = Counter[str](), Counter[str]()
    for event in history:
        if event.kind != "network":
            continue
        data = json.loads(event.data)
        port, count = data.get("port"), data.get("count", 1)
        if port is None and event.outcome == "done":
            continue
        counts[event.outcome] += count
        tried[f"{data.get('host')}:{port}" if port else str(data.get("host"))] += count
    named = tuple(name for name, _ in tried.most_common(_DESTINATIONS_SHOWN))
    return Connections(
        allowed=counts["done"], refused=counts["policy_denied"], failed=counts["failed"], destinations=named
    )


def _pages(reading: Reading, workspace_id: str, after: int) -> Iterator[Event]:
    more: int | None = after
    while more is not None:
        page = events.page(reading, workspace_id, after=more, limit=_PAGE)
        yield from page.events
        more = page.next_after


def _command(event: Event, kept: KeptResult, *, changed_before: bool, changed_since: bool) -> Command | None:
    data = json.loads(event.data)
    exec_id, words = data.get("exec_id"), data.get("command", "")
    if not isinstance(exec_id, str):
        return None  # it was never started
    outcome, exit_code = data.get("outcome") or "unknown", data.get("exit_code")
    duration = event.duration_ms or 0
    if outcome in ("running", "unknown"):
        with suppress(PyroError):
            ended = kept(exec_id)
            if ended is not None:
                outcome, exit_code, duration = _ending(ended, duration)
    return Command(
        words=_shown(words),
        outcome=cast(ExecOutcome, outcome),
        exit_code=exit_code,
        duration_ms=duration,
        output_id=exec_id,
        at=event.at,
        changed_before=changed_before,
        changed_since=changed_since,
    )


def _ending(ended: Message, duration: int) -> tuple[str, int | None, int]:
    from pyro_mcp.workspaces.machines.command import ended_from

    found = ended_from(ended, interrupted=False)
    return found.outcome, found.exit_code, found.duration_ms or duration


def _shown(words: object) -> str:
    text = words if isinstance(words, str) else shlex.join(map(str, cast(Sequence[object], words)))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_COMMAND else f"{text[:_LONGEST_COMMAND]}…"


def _counts(command: Command, outputs: OutputStore) -> TestCounts | None:
    streams: tuple[StreamName, ...] = ("stdout", "stderr")
    for stream in streams:
        with suppress(PyroError):
            part = outputs.tail(command.output_id, stream, lines=_TAIL_LINES, limit=_TAIL_BYTES)
            counts = read_counts(part.data.decode(errors="replace"))
            if counts is not None:
                return TestCounts(
                    command=command.words,
                    runner=counts.runner,
                    passed=counts.passed,
                    failed=counts.failed,
                    errors=counts.errors,
                    skipped=counts.skipped,
                    output_id=command.output_id,
                    at=command.at,
                    changed_since=command.changed_since,
                )
    return None
