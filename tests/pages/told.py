"""Whether what a page says that a command prints is what it printed, whatever differs from run to run and host to host."""

import re
from collections.abc import Sequence

_ANY = "…"
# What no two runs have in common, and what depends on the host. Both sides are changed, so neither may lack it.
_VARYING: Sequence[tuple[str, str]] = (
    (r"\b(ws|out)-[0-9a-z]{10}\b", r"\1-ID"),
    (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?", "TIME"),
    (r"\b\d+(\.\d+)?( ?ms| s)\b", "DURATION"),
    (r"\bin \d+\.\d+s\b", "in DURATION"),
    (r"\b\d+(\.\d+)? (B|KB|MB|GB)\b", "SIZE"),
    (r"\bisolation:?( +)(hardware|emulated)\b", r"isolation\1HELD"),
    (r"\bconfinement:?( +)(full|partial|none)\b", r"confinement\1HELD"),
    (r"\b6\.1\.0-\d+-cloud", "6.1.0-N-cloud"),
    (r"(?<=  )[0-9a-f]{12}$", "DIGEST"),
    (r"\b\d+ files, SIZE", "N files, SIZE"),
)
# How long a step of pyro's own takes decides whether it is told, and a terminal shows a bar instead.
_PROGRESS = re.compile(r"^pyro: (looking|reading|building|freezing|waiting|trying|copying|pushing)\b")


def differences(told: Sequence[str], said: Sequence[str], home: str) -> str:
    """What is not as told, for a person to read; nothing where all is. `…` stands for any text, alone for any lines."""
    expected = [_plain(line, home) for line in told if not _PROGRESS.match(line)]
    found = [_plain(line, home) for line in said if not _PROGRESS.match(line)]
    pattern = "".join(
        r"(?:.*\n)*" if line == _ANY else ".*".join(map(re.escape, line.split(_ANY))) + "\n"
        for line in expected
    )
    if re.fullmatch(pattern, "".join(f"{line}\n" for line in found)):
        return ""
    return "\n".join(["told:", *(f"  {line}" for line in told), "printed:", *(f"  {line}" for line in said)])


def _plain(line: str, home: str) -> str:
    line = line.replace(home, "~")
    for pattern, name in _VARYING:
        line = re.sub(pattern, name, line)
    return re.sub(r" {2,}", "  ", line).rstrip()
