"""`pyro run`: live output, input passed through, and the command's own exit status."""

import os
import select
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from types import FrameType

import click

from pyro_mcp.cli.derive import arguments_of, as_json_option
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render import json_text, run_summary
from pyro_mcp.errors import InvalidRequest
from pyro_mcp.host.interruption import Interruption, interruptible
from pyro_mcp.models.run import RunResult, StreamName
from pyro_mcp.operations.client import Pyro

TIMED_OUT = 124
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

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        own = [piece for piece in super().collect_usage_pieces(ctx) if "EXCESS" not in piece]
        return [*own, "-- COMMAND..."]


@click.command(cls=CommandAfterDashes)
@arguments_of("vm_run", without=("command", "stdin"))
@click.argument("excess", nargs=-1, type=click.UNPROCESSED)
@click.option("--require-isolation", type=click.Choice(["hardware"]), help="Refuse rather than fall back.")
@click.option("--require-confinement", type=click.Choice(["full"]), help="Refuse rather than fall back.")
@as_json_option
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary line on stderr.")
@click.pass_context
def run(
    ctx: click.Context,
    environment: str,
    excess: tuple[str, ...],
    env: dict[str, str],
    vcpu_count: int,
    mem_mib: int,
    timeout_seconds: float,
    require_isolation: str | None,
    require_confinement: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run one command in a throwaway Linux machine without network.

    \b
    pyro run debian:12 -- git --version
    echo hello | pyro run debian:12 -- wc -c

    Standard input, output and error are the command's. The exit status is its own, 128+n when signal n ended it, 124 when
    it ran out of time, 125 when pyro itself failed. Ctrl-C interrupts the command; a second one kills it.
    """
    command = _command(environment, excess, ctx.obj)
    pyro = Pyro(
        require_isolation="hardware" if require_isolation else None,
        require_confinement="full" if require_confinement else None,
    )
    with shown_progress(quiet=quiet), interruptible() as interruption, _interrupted_by_ctrl_c(interruption):
        result = pyro.run(
            environment,
            command,
            env=env,
            stdin=_own_input(),
            vcpu_count=vcpu_count,
            mem_mib=mem_mib,
            timeout_seconds=timeout_seconds,
            on_output=None if as_json else write_through,
        )
    if as_json:
        click.echo(json_text(result))
    elif not quiet:
        click.echo(run_summary(result), err=True)
    return exit_status(result)


def exit_status(result: RunResult) -> int:
    """The contract's exit status of a command that ran."""
    if result.outcome == "timed_out":
        return TIMED_OUT
    if result.signal is not None:
        return 128 + result.signal
    if result.exit_code is not None:
        return result.exit_code
    return 128 + (signal.SIGINT if result.outcome == "interrupted" else signal.SIGKILL)


def write_through(stream: StreamName, data: bytes) -> None:
    """Write bytes to our stream of the same name, all of them, also where somebody made it non-blocking."""
    descriptor, left = _DESCRIPTORS[stream], memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            select.select([], [descriptor], [])


def _command(environment: str, excess: tuple[str, ...], after: object) -> tuple[str, ...]:
    """The words after `--`, or an error that shows where they belong."""
    if isinstance(after, tuple) and after and not excess:
        return after
    if isinstance(after, tuple) and excess:
        raise InvalidRequest(
            f"{excess[0]!r} stands before --, where only ENVIRONMENT and options may",
            hint=f"pyro run {environment} [OPTIONS] -- {' '.join(excess)}",
        )
    if excess:
        raise InvalidRequest("no -- before the command", hint=f"pyro run {environment} -- {' '.join(excess)}")
    raise InvalidRequest("no command given", hint=f"pyro run {environment} -- COMMAND...")


def _own_input() -> FileIO | None:
    """Our standard input, unless there is none or reading it would stop us.

    A terminal is passed through too, as ssh does, so that `pyro run debian:12 -- cat` does what cat does. But in the
    background a read from the terminal would stop the whole job.
    """
    try:
        given = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - a descriptor that stays open
    except OSError:  # closed by whoever started us
        return None
    if given.isatty() and os.tcgetpgrp(0) != os.getpgrp():
        return None
    return given


@contextmanager
def _interrupted_by_ctrl_c(interruption: Interruption) -> Iterator[None]:
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
