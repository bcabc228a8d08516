"""An environment as callers see it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

EnvironmentState = Literal["available", "not_pulled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentInfo:
    """A named root filesystem; digest, size and time (RFC 3339) are known once it is on this host."""

    plural: ClassVar[str] = "environments"

    name: str
    state: EnvironmentState
    summary: str = ""
    digest: str | None = None
    size_bytes: int | None = None
    built_at: str | None = None
