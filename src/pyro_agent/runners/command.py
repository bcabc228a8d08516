"""One command, as the host asks for it and as it travels to the process that becomes it."""

from __future__ import annotations

from dataclasses import dataclass

from pyro_wire import messages
from pyro_wire.messages import Message, MessageError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# A week; a command that should last longer is a service.
_LONGEST_MS = 7 * 24 * 3600 * 1000
# The kernel's own limit (NR_UNIX98_PTY_MAX).
_LAST_TERMINAL = (1 << 20) - 1


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, where, as whom, and for how long."""

    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    user: str | None
    stdin: bool
    timeout_ms: int | None
    terminal: int | None = None  # the number of a pseudo-terminal, in place of the pipes

    @classmethod
    def from_message(cls, message: Message) -> Command:
        """Check every field; raise MessageError for the first that is wrong."""
        argv = messages.texts(message, "argv")
        if not argv or not argv[0]:
            raise MessageError("argv: names no command")
        env = messages.text_map(message, "env")
        if any(not name or "=" in name for name in env):
            raise MessageError("env: a variable's name is empty or holds '='")
        cwd = messages.text(message, "cwd", "/workspace")
        if not cwd.startswith("/"):
            raise MessageError("cwd: an absolute path belongs here")
        return cls(
            argv=tuple(argv),
            env=env,
            cwd=cwd,
            user=_user(message),
            stdin=messages.flag(message, "stdin", default=False),
            timeout_ms=messages.optional_integer(message, "timeout_ms", low=1, high=_LONGEST_MS),
            terminal=messages.optional_integer(message, "terminal", low=0, high=_LAST_TERMINAL),
        )

    def to_message(self) -> Message:
        """Return the same object as it came, for the process that becomes the command."""
        return {
            "argv": list(self.argv),
            "env": self.env,
            "cwd": self.cwd,
            "user": self.user,
            "stdin": self.stdin,
            "timeout_ms": self.timeout_ms,
            "terminal": self.terminal,
        }


def _user(message: Message) -> str | None:
    value = message.get("user")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(messages.integer(message, "user", low=0, high=2**32 - 2))
    return messages.optional_text(message, "user")
