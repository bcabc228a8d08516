"""Keep what a machine's end would take away, where somebody asked for it: tests that fail, and bug reports.

PYRO_KEEP_LOGS names a directory; every machine that ends leaves a directory there with the console (the kernel's and the
agent's words), QEMU's and the keeper's log, and `machine.log`: the command line, the timings, and the talk with QEMU's monitor.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyro_mcp.qemu.process import Qemu
    from pyro_mcp.redaction import Redactor

KEEP_LOGS = "PYRO_KEEP_LOGS"


@contextmanager
def story_kept(
    directory: Path, qemu: Qemu, timings: Mapping[str, float], secrets: Mapping[str, bytes]
) -> Iterator[None]:
    """Write down at the end of the block, however it ends, what only this process knows of the machine."""
    try:
        yield
    finally:
        if KEEP_LOGS in os.environ:
            from pyro_mcp.redaction import Redactor

            with suppress(OSError):
                _write_story(directory, qemu, timings, Redactor(secrets))


def keep_logs(directory: Path) -> None:
    """Copy a machine's logs to where they are wanted, if they are."""
    wanted = os.environ.get(KEEP_LOGS)
    if not wanted:
        return
    import shutil  # 4 ms, and every command looks for places

    kept = Path(wanted) / directory.name
    with suppress(OSError):
        for log in directory.glob("*.log"):
            if log.stat().st_size:
                kept.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(log, kept / log.name)


def _write_story(directory: Path, qemu: Qemu, timings: Mapping[str, float], redactor: Redactor) -> None:
    qemu.drain_console()
    (directory / "console.log").write_bytes(redactor.feed(qemu.console_tail()) + redactor.finish())
    story = [
        f"command: {' '.join(qemu.command)}",
        f"timings: {dict(timings)}",
        *qemu.monitor.transcript,
    ]
    (directory / "machine.log").write_text("\n".join(story) + "\n")
