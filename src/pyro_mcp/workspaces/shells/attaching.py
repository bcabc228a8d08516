"""Be the terminal of a shell: keys in, bytes out, until the person leaves or the shell ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.terminal.keys import is_key, key_bytes, near_key
from pyro_mcp.workspaces.session import Sessions
from pyro_mcp.workspaces.shells.access import at_shell
from pyro_mcp.workspaces.shells.using import OpenRequest, newest_shell, open_shell
from pyro_wire.messages import Message

Size = Callable[[], os.terminal_size]


@dataclass(frozen=True, slots=True)
class Left:
    """How it ended: `ended` is why the shell has, None where the person left it open."""

    shell_id: str
    ended: str | None


class DetachKeys:
    """Looks for the keys that mean "leave"; what only began like them is passed on."""

    def __init__(self, names: str) -> None:
        keys = [name.strip() for name in names.split(",")]
        for name in keys:
            if not is_key(name):
                near = near_key(name)
                raise InvalidRequest(
                    f"{name!r} in the detach keys is no key" + (f"; did you mean {near}?" if near else ""),
                    hint="Give names with commas between them, such as ctrl-p,ctrl-q.",
                )
        self._sequence = b"".join(key_bytes(name, application=False) for name in keys)
        self._begun = b""
        self.pressed = False

    def filter(self, data: bytes) -> bytes:
        """Give what goes on to the shell."""
        data, self._begun = self._begun + data, b""
        before, found, _ = data.partition(self._sequence)
        if found:
            self.pressed = True
            return before
        for size in range(min(len(self._sequence) - 1, len(data)), 0, -1):
            if data.endswith(self._sequence[:size]):
                self._begun = data[-size:]
                return data[:-size]
        return data


class Keyboard:
    """What the person types, and what they mean by it: the size of their terminal, and the wish to leave."""

    def __init__(self, descriptor: int, keys: DetachKeys, size: Size) -> None:
        self._descriptor, self._keys, self._size = descriptor, keys, size
        self._changed = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.words = _Words(self._changed, keys, size)

    def fileno(self) -> int:
        """Give the descriptor to wait for."""
        return self._descriptor

    def read(self, most: int) -> bytes | None:
        """Give the next keys; those that mean "leave" are said, not passed on, and end the input."""
        data = b"" if self._keys.pressed else os.read(self._descriptor, most)
        passed = self._keys.filter(data) if data else b""
        if self._keys.pressed:
            self.resized()
            return passed
        return passed or None if data else b""

    def resized(self) -> None:
        """Learn that the terminal has another size; safe in a signal handler."""
        os.eventfd_write(self._changed, 1)

    def close(self) -> None:
        """Free the descriptor."""
        os.close(self._changed)


class _Words:
    """Said beside the keys."""

    def __init__(self, changed: int, keys: DetachKeys, size: Size) -> None:
        self._changed, self._keys, self._size = changed, keys, size

    def fileno(self) -> int:
        return self._changed

    def take(self) -> Message:
        with suppress(BlockingIOError):
            os.eventfd_read(self._changed)
        return {"detach": True} if self._keys.pressed else _size_message(self._size())


def attach(
    sessions: Sessions,
    reference: str,
    shell_id: str | None,
    keyboard: Keyboard,
    size: Size,
    show: Callable[[bytes], None],
) -> Left:
    """Attach to a shell: the one named, else the newest, else a new one."""
    found = shell_id or newest_shell(sessions, reference)
    if found is None:
        now = size()
        opened = open_shell(sessions, reference, OpenRequest(cols=now.columns, rows=now.lines))
        found = opened.shell_id
    with at_shell(sessions, reference, found, "shell.attach") as session:
        answer = session.ask(
            {"verb": "keeper.shell.attach", "shell_id": found, **_size_message(size())},
            on_data=lambda _, data: show(data),
            body=keyboard,
            controls=keyboard.words,
        )
    ended = answer.get("ended")
    return Left(found, None if ended is None else str(ended))


def _size_message(size: os.terminal_size) -> dict[str, int]:
    return {"columns": max(1, min(size.columns, 1000)), "rows": max(1, min(size.lines, 500))}
