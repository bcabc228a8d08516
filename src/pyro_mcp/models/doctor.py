"""What is known about this host's fitness to run machines."""

from dataclasses import dataclass
from typing import Literal

from pyro_mcp.models.run import Confinement, Isolation

Health = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One fact. `remedy` is the command (or the step) that mends it; `packages` are what Debian calls what is missing."""

    name: str
    health: Health
    fact: str
    remedy: str | None = None
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All facts, and what a machine started now would get. `fit` is false where no machine can run."""

    fit: bool
    isolation: Isolation
    confinement: Confinement
    checks: tuple[Check, ...]

    @property
    def missing_packages(self) -> tuple[str, ...]:
        return tuple(sorted({package for check in self.checks for package in check.packages}))
