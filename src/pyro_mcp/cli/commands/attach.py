"""`pyro workspace attach`: a person's own terminal on a shell of a workspace."""

import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from pyro_mcp.cli.derive import quiet_option
from pyro_mcp.cli.guest_command import write_through
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.workspaces.engine import Engine
from pyro_mcp.workspaces.shells.attaching import DetachKeys, Keyboard, attach

# What programs in a shell that was lost may have switched on.
_PUT_RIGHT = "\x1b[0m\x1b[?1047l\x1b[?25h\x1b[?1l" + "".join(
    f"\x1b[?{number}l" for number in (1000, 1002, 1003, 1004, 1006, 2004)
)


@click.command("attach")
@click.argument("workspace", help="Id or name.")
@click.argument("shell_id", required=False, help="sh-…; the newest if not given, a new one if there is none.")
@click.option("--detach-keys", default="ctrl-p,ctrl-q", show_default=True, help="Keys that leave it open.")
@quiet_option
def attach_(workspace: str, shell_id: str | None, detach_keys: str, quiet: bool) -> None:
    """Attach your terminal to a workspace shell: the one named, else the newest, else a new one.

    \b
    pyro workspace attach fix-123
    pyro workspace attach fix-123 sh-1 --detach-keys ctrl-a,d

    Leaving with the detach keys leaves the shell as it is, for you or a model to go on with. A workspace with somebody
    attached is never stopped as idle.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidRequest(
            "attach needs a terminal at both ends",
            hint="Scripts use `pyro workspace shell open`, `write` and `read`.",
        )
    keyboard = Keyboard(0, DetachKeys(detach_keys), lambda: os.get_terminal_size(1))
    try:
        with shown_progress(quiet=quiet) if shell_id is None else _nothing(), _terminal(keyboard):
            left = attach(
                Engine().sessions,
                workspace,
                shell_id,
                keyboard,
                lambda: os.get_terminal_size(1),
                lambda data: write_through("stdout", data),
            )
    finally:
        keyboard.close()
    told = (
        f"ended: {left.ended}"
        if left.ended
        else f"goes on; pyro workspace attach {workspace} {left.shell_id}"
    )
    click.echo(f"pyro: {left.shell_id} {told}", err=True)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _terminal(keyboard: Keyboard) -> Iterator[None]:
    """Pass every key on as it is inside the block; afterwards the terminal is as it was, however the block ends."""
    before = termios.tcgetattr(0)
    handlers = {
        signal.SIGWINCH: signal.signal(signal.SIGWINCH, lambda *_: keyboard.resized()),
        **{number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGHUP)},
    }
    try:
        tty.setraw(0, termios.TCSANOW)
        yield
    except BaseException:
        write_through("stdout", _PUT_RIGHT.encode())
        raise
    finally:
        termios.tcsetattr(0, termios.TCSANOW, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
