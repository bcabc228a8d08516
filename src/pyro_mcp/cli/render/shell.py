"""Shells as people read them."""

from collections.abc import Sequence

from pyro_mcp.cli.render.tables import table
from pyro_mcp.mcp_server.texts.shell import standing
from pyro_mcp.models.shell import ShellInfo, ShellText, ShellWritten


def opened(found: ShellText) -> str:
    """Its id, and what it shows."""
    return "\n".join([f"{found.shell_id}  {standing(found)}", *filter(None, [found.text])])


def read(found: ShellText) -> str | bytes:
    """What was read alone; the bytes as they are."""
    return found.text if found.raw is None else found.raw.removesuffix(b"\n")


def written(done: ShellWritten) -> str | bytes:
    """What came of it; where nobody waited, nothing but where a read could begin."""
    if done.read is not None:
        return read(done.read)
    return f"{done.shell_id}: {done.written_bytes} {'byte' if done.written_bytes == 1 else 'bytes'} typed"


def shell(found: ShellInfo) -> str:
    """One shell on a line."""
    return f"{found.shell_id}: {standing(found)}"


def shells(found: Sequence[ShellInfo]) -> str:
    """Shells as a table."""
    if not found:
        return "no shells; open one with: pyro workspace shell open WORKSPACE"
    rows = [
        (
            item.shell_id,
            standing(item),
            item.program or "-",
            item.cwd,
            f"{item.cols}x{item.rows}",
            str(item.attached or "-"),
            item.opened_at.astimezone().strftime("%H:%M:%S"),
        )
        for item in found
    ]
    return table(("ID", "STATE", "PROGRAM", "CWD", "SIZE", "ATTACHED", "OPENED"), rows)
