"""`pyro demo`: what pyro does, shown on real machines in under a minute once the environment is there."""

import inspect
import platform
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import click

from pyro_mcp import errors
from pyro_mcp.cli.progress import shown_progress
from pyro_mcp.cli.render.answers import ending
from pyro_mcp.models.run import RunResult, StreamName
from pyro_mcp.operations.client import Pyro

_ENVIRONMENT = "debian:12"
_COUNT_CLASSES = """\
import ast, sys
tree = ast.parse(sys.stdin.read())
for node in tree.body:
    if isinstance(node, ast.ClassDef):
        print(f"line {node.lineno:>3}: {node.name}: {ast.get_docstring(node).splitlines()[0]}")
"""

_NEXT = (
    ("pyro workspace create --seed-path . --name issue-1", "a machine that stays, with a copy of a project"),
    ("pyro workspace exec issue-1 -- COMMAND...", "run something in it"),
    ("pyro workspace export issue-1 --format patch --output fix.patch", "take the change out"),
    (f"pyro run {_ENVIRONMENT} -- COMMAND...", "one command in a throwaway machine"),
    ("pyro mcp connect claude-code", "the same for a chat host (codex, opencode, cursor, …)"),
)


@dataclass(frozen=True)
class Seen:
    """What came of one machine: its result, and both streams as they came."""

    result: RunResult
    text: str


@dataclass(frozen=True)
class Stop:
    """One step of the tour: what it runs, and what its output proves. `holds` is that, checked."""

    title: str
    command: str | tuple[str, ...]
    proves: str
    holds: Callable[[list[Seen]], bool]
    stdin: str | None = None
    timeout_seconds: float = 60
    machines: int = 1


def stops() -> tuple[Stop, ...]:
    """The tour."""
    return (
        Stop(
            "A command in a machine of its own",
            "echo kernel $(uname -r), $(nproc) CPU, pid $$; git --version; python3 --version",
            f"It ran under another kernel than this computer's ({platform.release()}).",
            lambda seen: seen[0].result.exit_code == 0 and platform.release() not in seen[0].text,
        ),
        Stop(
            "Your data goes in, the answer comes out",
            ("python3", "-c", _COUNT_CLASSES),
            "The input was pyro's own errors.py, piped in and parsed by the machine's Python.",
            lambda seen: "PyroError" in seen[0].text,
            stdin=inspect.getsource(errors),
        ),
        Stop(
            "Nothing of this computer is in there, and there is no network",
            f"ls {__file__}; ls /sys/class/net; curl --silent --show-error --max-time 5 https://debian.org || true",
            "This program's own file is not to be found, and nothing answers outside.",
            lambda seen: "No such file" in seen[0].text and "curl:" in seen[0].text,
        ),
        Stop(
            "Two machines of one template are no twins",
            "cat /proc/sys/kernel/hostname /etc/machine-id; head -c 12 /dev/urandom | base64",
            "Both came from one frozen memory image; name, identity and randomness differ.",
            lambda seen: not set(seen[0].text.split()) & set(seen[1].text.split()),
            machines=2,
        ),
        Stop(
            "A command that never ends, ends at its time limit",
            "trap '' TERM INT; echo started; while true; do sleep 1; done",
            "It ignored every polite signal. All it had started is gone, what it said is kept.",
            lambda seen: seen[0].result.outcome == "timed_out" and "started" in seen[0].text,
            timeout_seconds=2,
        ),
    )


@click.command()
def demo() -> int:
    """Take a short tour on real machines.

    \b
    pyro demo

    Five steps, each a real command in a real machine that is gone afterwards. The first tour builds the environment first.
    """
    tour, began, broken = stops(), monotonic(), 0
    for number, stop in enumerate(tour, start=1):
        click.secho(f"\n{number}. {stop.title}", bold=True)
        broken += not _take(stop)
    click.echo(
        f"\n{len(tour) - broken} of {len(tour)} steps held, in {monotonic() - began:.0f} s. Now yours:\n"
    )
    for line, what in _NEXT:
        click.echo(f"  {line:<64} {what}")
    return 1 if broken else 0


def _take(stop: Stop) -> bool:
    """Show the command, run it, and tell what it proves; False when it does not."""
    shown = (
        stop.command
        if isinstance(stop.command, str)
        else "python3 -c '(a script that lists classes)' < errors.py"
    )
    click.secho(f"   $ {shown}", fg="cyan")
    seen = []
    for _ in range(stop.machines):
        began = monotonic()
        seen.append(_run(stop))
        result, seconds = seen[-1].result, monotonic() - began
        walls = f"isolation {result.isolation}, confinement {result.confinement}"
        click.secho(f"   {ending(result)}, {seconds:.2f} s with its machine's whole life ({walls})", dim=True)
    held = stop.holds(seen)
    click.secho(f"   {'✓' if held else '✗ NOT SO:'} {stop.proves}", fg="green" if held else "red")
    return held


def _run(stop: Stop) -> Seen:
    said: list[bytes] = []
    unfinished = b""

    def show(_: StreamName, data: bytes) -> None:
        nonlocal unfinished
        said.append(data)
        *lines, unfinished = (unfinished + data).split(b"\n")
        for line in lines:
            click.echo(f"   │ {line.decode(errors='replace')}")

    with shown_progress():
        result = Pyro().run(
            _ENVIRONMENT,
            stop.command,
            stdin=stop.stdin,
            timeout_seconds=stop.timeout_seconds,
            on_output=show,
        )
    return Seen(result, b"".join(said).decode(errors="replace"))
