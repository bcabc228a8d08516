"""What `run` and `exec` have in common: a command after `--`, its streams, Ctrl-C, and its exit status."""

import os
import select
import shlex
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from types import FrameType

import click

from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.errors import InvalidRequest, LimitReached
from pyro_mcp.host.interruption import Interruption, interruptible
from pyro_mcp.models.run import RunResult, StreamName
from pyro_mcp.models.workspace import ExecResult

TIMED_OUT = 124
# What a shell says of a word that is no command.
_NO_SUCH_COMMAND = 127
_OF_A_SHELL = frozenset(" \t\n;&|<>()$`*?")
_DESCRIPTORS: Mapping[StreamName, int] = {"stdout": 1, "stderr": 2}


class CommandAfterDashes(click.Command):
    """A command whose own words end at `--`; what follows belongs to the guest and is taken as it is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            split = args.index("--")
            args, ctx.obj = args[:split], tuple(args[split + 1 :])
        elif not set(args) & set(ctx.help_option_names):
            # A forgotten --: the command's own options must not be taken for wrong ones of ours.
            ctx.allow_interspersed_args = False
        return super().parse_args(ctx, args)


# What stands there although it belongs behind the dashes; `words_after_dashes` says so.
after_dashes = click.argument(
    "excess", metavar="-- COMMAND...", nargs=-1, type=click.UNPROCESSED, help="What to run, taken as it is."
)


def words_after_dashes(
    ours: str, placeholder: str, excess: tuple[str, ...], after: object
) -> tuple[str, ...]:
    """The words after `--`, or an error that shows where they belong. `ours` is the line so far."""
    if isinstance(after, tuple) and after and not excess:
        return after
    if isinstance(after, tuple) and excess:
        raise InvalidRequest(
            f"{excess[0]!r} stands before --, where only {placeholder} and options may",
            hint=f"{ours} [OPTIONS] -- {' '.join(excess)}",
        )
    if excess:
        raise InvalidRequest("no -- before the command", hint=f"{ours} -- {' '.join(excess)}")
    raise InvalidRequest("no command given", hint=f"{ours} -- COMMAND...")


def exit_status(result: RunResult | ExecResult) -> int:
    """The contract's exit status of a command that ran."""
    if result.outcome == "timed_out":
        return TIMED_OUT
    if result.signal is not None:
        return 128 + result.signal
    if result.exit_code is not None:
        return result.exit_code
    return 128 + (signal.SIGINT if result.outcome == "interrupted" else signal.SIGKILL)


def say_what_it_wrote(result: RunResult | ExecResult) -> None:
    """Write what an answer has of both streams to ours of the same names."""
    click.echo(result.stdout, nl=False)
    click.echo(result.stderr, nl=False, err=True)


def hint_at_a_shell(ours: str, command: tuple[str, ...], result: RunResult | ExecResult) -> None:
    """Say on stderr what a whole line of shell in one word was probably meant to be. `ours` is the line before `--`."""
    if result.exit_code == _NO_SUCH_COMMAND and len(command) == 1 and _OF_A_SHELL & set(command[0]):
        click.echo(f"hint: a line for a shell: {ours} -- sh -c {shlex.quote(command[0])}", err=True)


def write_through(stream: StreamName, data: bytes) -> None:
    """Write bytes to our stream of the same name, all of them, also where somebody made it non-blocking."""
    descriptor, left = _DESCRIPTORS[stream], memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
        except BrokenPipeError:
            raise
        except OSError as error:
            raise LimitReached(
                f"{stream} takes no more: {error.strerror}",
                hint="Send it to where it can be written.",
            ) from error


def own_input() -> FileIO | None:
    """Our standard input, unless there is none or reading it would stop us.

    A terminal is passed through too, as ssh does, so that `pyro run debian:12 -- cat` does what cat does. But in the
    background a read from the terminal would stop the whole job.
    """
    try:
        given = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - a descriptor that stays open
    except OSError:  # closed by whoever started us
        return None
    return None if given.isatty() and _in_background() else given


def _in_background() -> bool:
    try:
        return os.tcgetpgrp(0) != os.getpgrp()
    except OSError:  # a terminal, but not the one that controls us: nothing there stops us
        return False


@contextmanager
def attended(*, quiet: bool) -> Iterator[None]:
    """Have progress shown and Ctrl-C passed on while a command runs inside the block."""
    with shown_progress(quiet=quiet), interruptible() as interruption, interrupted_by_ctrl_c(interruption):
        yield


@contextmanager
def interrupted_by_ctrl_c(interruption: Interruption) -> Iterator[None]:
    """Let Ctrl-C reach the guest's command; while there is none yet, and from the third time on, it ends pyro as usual."""

    def ask(number: int, frame: FrameType | None) -> None:
        again = interruption.wish == "kill"
        if not interruption.request() or again:
            signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
