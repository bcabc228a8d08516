"""Shells as a model reads them: what is on the terminal, then where it stands."""

from collections.abc import Sequence

from pyro_mcp.mcp_server.texts.answers import resumed_line
from pyro_mcp.models.shell import ShellInfo, ShellText, ShellWritten


def shell_opened_text(opened: ShellText) -> str:
    """Its id, and what it shows."""
    again = f"\n{resumed_line(opened.resumed_reason, wide=True)}" if opened.resumed else ""
    return f"shell {opened.shell_id} is open{again}\n{shell_read_text(opened)}"


def shell_read_text(read: ShellText) -> str:
    """What was read, without a byte that a terminal would act on, and how to go on."""
    shown = raw_text(read.raw) if read.raw is not None else read.text
    lines = [f"[{read.dropped_bytes} bytes before this are not kept any more]"] if read.dropped_bytes else []
    if read.skipped_from is not None:
        lines.append(f"[older lines are left out; cursor={read.skipped_from} reads them]")
    lines += [shown or "(nothing new)", "---", _standing(read)]
    return "\n".join(lines)


def raw_text(data: bytes) -> str:
    """Give bytes as text that shows every control character as its escape."""
    text = data.decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() or character == "\n" else ascii(character)[1:-1]
        for character in text
    )


def shell_written_text(written: ShellWritten) -> str:
    """What came of it, or that it was typed."""
    if written.read is not None:
        return shell_read_text(written.read)
    return f"typed {written.written_bytes} bytes into {written.shell_id}; shell_read shows what came of it"


def shell_text(info: ShellInfo) -> str:
    """One shell on a line."""
    program = f"{info.program or 'shell'} in {info.cwd}, {info.cols}x{info.rows}"
    attached = ", a person is attached" if info.attached else ""
    return f"{info.shell_id}: {standing(info)}, {program}{attached}"


def shells_text(found: Sequence[ShellInfo]) -> str:
    """A line each."""
    return "\n".join(shell_text(item) for item in found) or "There is no shell; shell_open opens one."


def standing(shell: ShellInfo | ShellText) -> str:
    """Where a shell stands."""
    code = "" if shell.exit_code is None else f", last exit_code {shell.exit_code}"
    if shell.state == "ended":
        return f"ended: {shell.ended}"
    if shell.state == "prompt":
        return f"at its prompt{code}"
    if shell.state == "continuation":
        return "waits for the rest of a line (ctrl-c gives it up)"
    if shell.full_screen:
        return "a full-screen program runs"
    return "starting" if shell.state == "starting" else "a command runs"


def _standing(read: ShellText) -> str:
    parts = [standing(read)]
    if read.waited == "timeout":
        parts.append("the wait timed out")
    elif read.waited == "pattern":
        parts.append("the pattern matched")
    if read.view == "screen":
        parts.append(f"cursor at row {read.cursor_row}, column {read.cursor_column}")
    if read.truncated:
        parts.append(f"there is more: go on with cursor={read.cursor}")
    return "; ".join(parts)
