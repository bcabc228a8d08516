"""Answers as people read them: one function per kind of answer. JSON is the same for all."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pyro_mcp.models.encoding import as_object
from pyro_mcp.models.environment import EnvironmentInfo
from pyro_mcp.models.run import RunResult

if TYPE_CHECKING:
    from pyro_mcp.environments.values import EnvironmentListing  # costs `pyro run` 8 ms


def json_text(result: object, plural: str | None = None) -> str:
    """One JSON object on one line. ASCII: a terminal or pipe of any encoding can take it."""
    return json.dumps(as_object(result, plural))


def environments(found: Sequence[EnvironmentInfo]) -> str:
    """Environments as a table."""
    rows = [
        (
            item.name,
            item.state.replace("_", " "),
            size(item.size_bytes),
            (item.digest or "-")[:12],
            item.summary,
        )
        for item in found
    ]
    return table(("NAME", "STATE", "SIZE", "DIGEST", "WHAT IT IS"), rows)


def one_environment(found: "EnvironmentListing") -> str:
    """One environment in full, a fact a line."""
    facts = {
        "name": found.name,
        "what it is": found.summary,
        "state": "available" if found.built else "not pulled",
        "digest": found.digest,
        "size": size(found.size) if found.size is not None else None,
        "built at": found.built_at,
        "image": found.image,
        "recipe": found.recipe,
        "base": found.base,
        "packages": ", ".join(found.packages),
        "workdir": found.defaults.workdir,
        "user": found.defaults.user,
        "env": " ".join(f"{key}={value}" for key, value in found.defaults.env.items()),
    }
    return "\n".join(f"{name + ':':<12} {fact}" for name, fact in facts.items() if fact)


def run_summary(result: RunResult) -> str:
    """One line about a run, for stderr."""
    seconds = result.duration_ms / 1000
    walls = f"isolation {result.isolation}, confinement {result.confinement}"
    return f"pyro: {ending(result)} after {seconds:.2f} s in {result.environment} ({walls})"


def ending(result: RunResult) -> str:
    """How a command ended."""
    if result.outcome == "timed_out":
        return "stopped at its time limit"
    if result.outcome in ("interrupted", "killed"):
        return result.outcome
    if result.signal is not None:
        return f"ended by signal {result.signal}"
    return f"exit status {result.exit_code}"


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as they need to be."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in (header, *rows)
    )
    return "\n".join(line.rstrip() for line in lines)


def size(count: int | None) -> str:
    """Bytes for people."""
    if count is None:
        return "-"
    amount = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


# How an operation's answer is shown, by the operation's name.
RENDERERS: Mapping[str, Callable[..., str]] = {"vm_list_environments": environments}
