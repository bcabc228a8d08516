"""Tables, facts and sizes for people."""

from collections.abc import Mapping, Sequence


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


def facts(told: Mapping[str, object]) -> str:
    """A fact a line, those left out that there is nothing to say of; further lines of one stand below its first."""
    known = {name: str(fact).replace("\n", "\n" + 15 * " ") for name, fact in told.items() if fact}
    return "\n".join(f"{name + ':':<14} {fact}" for name, fact in known.items())
