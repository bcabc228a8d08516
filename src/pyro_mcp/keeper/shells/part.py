"""The shells of one machine, by name, and the verbs that clients use on them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pyro_mcp.keeper.lines.loop import Loop
from pyro_mcp.keeper.lines.switchboard import Client, Open, Switchboard
from pyro_mcp.keeper.shells.attachment import Attachment
from pyro_mcp.keeper.shells.reader import Reader, Wish, describe
from pyro_mcp.keeper.shells.records import new_record, note_end
from pyro_mcp.keeper.shells.shell import Shell
from pyro_mcp.redaction import Redactor
from pyro_mcp.terminal.keys import is_key
from pyro_wire import messages
from pyro_wire.faults import Fault, FaultError
from pyro_wire.messages import Message, MessageError

# Each holds some MiB here, and processes in the guest.
_MOST_OPEN = 32
# Those that have ended by themselves can still be read, until there are more of them than this.
_MOST_ENDED = 16
_Serve = Callable[[Client, int, Message], None]


class Shells:
    """A part of the keeper."""

    def __init__(self, board: Switchboard, loop: Loop, redactor: Redactor) -> None:
        self._board, self._loop, self._redactor = board, loop, redactor
        self._shells: dict[str, Shell] = {}
        self._directory: Path | None = None
        # Called when a command in a shell shows that it is at work.
        self.on_work: Callable[[], None] = lambda: None

    def verbs(self) -> Mapping[str, Open]:
        """Give the requests that it serves."""
        return {
            "keeper.shell.open": _guarded(self.open),
            "keeper.shell.write": _guarded(self.write),
            "keeper.shell.read": _guarded(self.read),
            "keeper.shell.signal": _guarded(self.signal),
            "keeper.shell.resize": _guarded(self.resize),
            "keeper.shell.close": _guarded(self.close),
            "keeper.shell.list": _guarded(self.listed),
            "keeper.shell.attach": _guarded(self.attach),
        }

    @property
    def busy(self) -> bool:
        """Tell whether somebody waits for a shell, or sits at one."""
        return any(shell.watchers for shell in self._shells.values())

    @property
    def living(self) -> list[str]:
        """Give the ids of those that have not ended, in the order in which they were opened."""
        return [shell.id for shell in self._shells.values() if shell.ended is None]

    def ended(self, reason: str) -> None:
        """Learn that the machine is over."""
        for shell in self._shells.values():
            shell.digest_all()
            shell.finish(reason)

    # -- verbs ------------------------------------------------------------------------------------------------------------

    def open(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.shell.open` {directory, request, timeout_ms, max_chars}: start one; answers at its first prompt."""
        request = message.get("request")
        if not isinstance(request, dict):
            raise MessageError("request: an object belongs here")
        wish = Wish(
            prompt=True,
            timeout_ms=messages.integer(message, "timeout_ms", low=0, high=3_600_000),
            most=messages.integer(message, "max_chars", low=1, high=1 << 24),
        )
        if sum(shell.ended is None for shell in self._shells.values()) >= _MOST_OPEN:
            raise FaultError("limit_reached", f"{_MOST_OPEN} shells are open", hint="close one")
        directory = self._directory = Path(messages.text(message, "directory"))
        shell_id = new_record(directory)
        shell = Shell(self._board, self._loop, self._redactor, shell_id, request)
        shell.on_end = lambda reason: self._on_end(shell, reason)
        shell.on_work = self.on_work
        if shell.ended is not None:
            self._on_end(shell, shell.ended)
        self._shells[shell_id] = shell
        Reader(shell, self._loop, client, stream, wish, on_fault=lambda: self._forget(shell)).begin()

    def write(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.shell.write` {shell_id, input, keys, newline}: type into one."""
        shell = self._open_one(message)
        keys = messages.texts(message, "keys")
        if unknown := [key for key in keys if not is_key(key)]:
            raise MessageError(f"keys: there is no {unknown[0][:40]!r}")
        before = shell.ring.end
        text, newline = messages.text(message, "input", ""), messages.flag(message, "newline", default=False)
        count = shell.write(text, keys, newline=newline)
        client.answer(stream, {**describe(shell), "cursor": before, "written": count})

    def read(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.shell.read`: see Wish."""
        shell = self._found(message)
        shell.last_wanted = time.monotonic()
        Reader(shell, self._loop, client, stream, Wish.from_message(message)).begin()

    def signal(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.shell.signal` {shell_id, signal}: signal what runs in the foreground."""
        shell = self._open_one(message)
        name = messages.text(message, "signal")
        if f"SIG{name}" not in signal.Signals.__members__:
            raise MessageError(f"signal: there is no {name[:40]!r}")
        shell.signal(name)
        client.answer(stream, describe(shell))

    def resize(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.shell.resize` {shell_id, columns, rows}."""
        shell = self._open_one(message)
        shell.resize(
            messages.integer(message, "columns", low=1, high=1000),
            messages.integer(message, "rows", low=1, high=500),
        )
        client.answer(stream, describe(shell))

    def close(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.shell.close` {shell_id}: kill all that is in it, and forget what it wrote."""
        shell = self._found(message)

        def gone() -> None:
            self._forget(shell)
            client.answer(stream, describe(shell))

        if shell.ended is not None:
            gone()
            return
        shell.watchers.append(_Once(shell, gone))
        shell.close()

    def listed(self, client: Client, stream: int, _: Message) -> None:
        """`keeper.shell.list`."""
        client.answer(stream, {"shells": [describe(shell) for shell in self._shells.values()]})

    def attach(self, client: Client, stream: int, message: Message) -> None:
        """`keeper.shell.attach` {shell_id, columns, rows}: be its terminal until told otherwise."""
        shell = self._open_one(message)
        shell.resize(
            messages.integer(message, "columns", low=1, high=1000),
            messages.integer(message, "rows", low=1, high=500),
        )
        Attachment(shell, client, stream).begin()

    # -- inside -----------------------------------------------------------------------------------------------------------

    def _found(self, message: Message) -> Shell:
        shell = self._shells.get(messages.text(message, "shell_id"))
        if shell is None:
            raise FaultError("not_found", "this machine has no such shell")
        return shell

    def _open_one(self, message: Message) -> Shell:
        shell = self._found(message)
        if shell.ended is not None:
            raise FaultError(
                "conflict",
                f"{shell.id} has ended: {shell.ended}",
                hint="its last words can still be read; open another to go on",
            )
        return shell

    def _on_end(self, shell: Shell, reason: str) -> None:
        if self._directory is not None:
            note_end(self._directory, shell.id, reason)
        ended = [found for found in self._shells.values() if found.ended is not None]
        for old in ended[:-_MOST_ENDED]:
            self._forget(old)

    def _forget(self, shell: Shell) -> None:
        self._shells.pop(shell.id, None)


class _Once:
    """Call back at the end of a shell."""

    def __init__(self, shell: Shell, then: Callable[[], None]) -> None:
        self._shell, self._then = shell, then

    def look(self) -> None:
        """See whether it has ended."""
        if self._shell.ended is not None:
            self._shell.watchers.remove(self)
            self._then()


def _guarded(serve: _Serve) -> Open:
    """Answer with a fault what cannot be done."""

    def served(client: Client, stream: int, message: Message) -> None:
        try:
            serve(client, stream, message)
        except MessageError as error:
            client.answer(stream, Fault("invalid_request", str(error)))
        except FaultError as error:
            client.answer(stream, error.fault)
        except OSError as error:
            client.answer(stream, Fault("host_unfit", f"the shell cannot be kept: {error}"))

    return served
