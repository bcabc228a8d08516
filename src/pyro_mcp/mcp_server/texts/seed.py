"""What of a host's directory is in a machine, in words for a model."""

from collections.abc import Sequence

from pyro_mcp.models.seed import SeedReport

_NAMES_SHOWN = 10


def seed_lines(seed: SeedReport | None) -> list[str]:
    """What there is, and what was left out."""
    if seed is None or seed.kind == "none":
        return []
    below = f", all below {seed.top}/" if seed.top else ""
    lines = [
        f"/workspace has {seed.files} {'file' if seed.files == 1 else 'files'} ({size_text(seed.bytes)}) of {seed.source}{below}"
    ]
    groups = (
        ("ignored by git and left out", seed.ignored, seed.ignored_count),
        ("withheld as likely keys or passwords", seed.withheld, seed.withheld_count),
        (
            "tracked by git though they look like keys or passwords",
            seed.sensitive_tracked,
            seed.sensitive_tracked_count,
        ),
        ("not readable as files", tuple(item.path for item in seed.skipped), seed.skipped_count),
    )
    return lines + [f"{count} {what}: {_names(names, count)}" for what, names, count in groups if count]


def size_text(count: int) -> str:
    """Bytes in a unit that fits."""
    amount = float(count)
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _names(names: Sequence[str], count: int) -> str:
    more = count - len(names[:_NAMES_SHOWN])
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more else "")
