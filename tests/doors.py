"""A small engine in memory, for what the doors do with arguments, output, results and errors. It runs no command."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from pyro_mcp.host.interruption import Interruption
from pyro_mcp.models.environment import EnvironmentInfo
from pyro_mcp.models.run import OnOutput, RunRequest, RunResult, StreamName
from pyro_mcp.workspaces.session import Sessions

ENVIRONMENTS = [
    EnvironmentInfo(
        name="debian:12",
        state="available",
        summary="Debian 12",
        digest="9548a14187e1aabb",
        size_bytes=221_000_000,
        built_at="2026-01-01T00:00:00Z",
    ),
    EnvironmentInfo(name="debian:12-base", state="not_pulled", summary="Debian 12, minimal"),
]


def finished(exit_code: int | None = 0, **others: object) -> RunResult:
    """A result as the engine gives it: without output."""
    facts = {
        "outcome": "finished",
        "exit_code": exit_code,
        "duration_ms": 420,
        "environment": "debian:12",
        "isolation": "emulated",
        "confinement": "full",
    }
    return RunResult(**cast("dict[str, str]", {**facts, **others}))  # type: ignore[arg-type]


@dataclass
class MemoryEngine:
    """Says `chunks`, then answers `result`, or raises it; remembers what it was asked."""

    result: RunResult | BaseException = field(default_factory=finished)
    chunks: Sequence[tuple[StreamName, bytes]] = ()
    meanwhile: Callable[[Interruption | None], None] = lambda interrupted: None
    requests: list[RunRequest] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)

    closed: bool = False

    def close(self) -> None:
        self.closed = True

    def run(
        self, request: RunRequest, on_output: OnOutput | None = None, interrupted: Interruption | None = None
    ) -> RunResult:
        self.requests.append(request)
        for stream, data in self.chunks:
            assert on_output is not None
            on_output(stream, data)
        self.meanwhile(interrupted)
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    @property
    def sessions(self) -> Sessions:
        raise AssertionError("this engine has no workspaces")

    def prepare(self, environment: str) -> None:
        self.prepared.append(environment)
        self.meanwhile(None)
        if isinstance(self.result, BaseException):
            raise self.result

    def environments(self) -> list[EnvironmentInfo]:
        return ENVIRONMENTS
