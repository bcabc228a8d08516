"""One command in a throwaway machine: what is asked for, and what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyro_mcp.models.narrowing import ONLY_FULL
from pyro_mcp.models.network import NO_NETWORK, NetworkDecision, NetworkSettings
from pyro_mcp.models.seed import SeedReport

Outcome = Literal["finished", "timed_out", "interrupted", "killed"]
Isolation = Literal["hardware", "emulated"]
Confinement = Literal["full", "partial", "none"]
StreamName = Literal["stdout", "stderr"]
OnOutput = Callable[[StreamName, bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A checked request: a string command is for `sh -c`, a tuple is argv; `stdin` is the input itself or a descriptor."""

    environment: str
    command: str | tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes | int | None = None
    vcpu_count: int = 1
    mem_mib: int = 1024
    timeout_seconds: float = 600
    seed_path: str | None = None
    network: NetworkSettings = NO_NETWORK
    require_isolation: Literal["hardware"] | None = None
    require_confinement: Literal["full"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What came of a command. A command that failed is a result like any other; a signal that ended it stands in `signal`."""

    outcome: Outcome
    exit_code: int | None
    signal: int | None = None
    stdout: str = ""
    stderr: str = ""
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    duration_ms: int
    environment: str
    isolation: Isolation
    confinement: Confinement
    output_id: str | None = None
    seed: SeedReport | None = None
    # What it had left running in the background was ended with it.
    left_running: bool = False
    # It tried to reach something, and the machine has no network.
    no_network: bool = False
    network: tuple[NetworkDecision, ...] = field(default=(), metadata=ONLY_FULL)
