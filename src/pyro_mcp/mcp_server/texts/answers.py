"""Answers and errors as a model reads them: short, facts first, the next useful step at the end."""

from collections.abc import Iterable, Sequence

from pyro_mcp.errors import PyroError, Spell, plainly
from pyro_mcp.mcp_server.texts.complaints import what_to_do
from pyro_mcp.mcp_server.texts.seed import seed_lines
from pyro_mcp.models.environment import EnvironmentInfo
from pyro_mcp.models.network import decision_text
from pyro_mcp.models.run import Confinement, Isolation, RunResult
from pyro_mcp.models.workspace import ExecResult
from pyro_mcp.operations.catalogue import all_operations
from pyro_mcp.terminal.plain import plain

_NO_NETWORK = "No network here: use what is installed."
_WITH_NETWORK = " For a network, make a machine with network_policy egress."
_SERVICE = " service_start keeps a server."


def run_text(result: RunResult, *, wide: bool = False) -> str:
    """How it ended, then what it said."""
    walls = f"isolation {result.isolation}, confinement {result.confinement}"
    lines = [f"{_ending(result)} after {result.duration_ms / 1000:.2f} s in {result.environment} ({walls})"]
    lines += warnings(result.isolation, result.confinement)
    lines += seed_lines(result.seed)
    for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
        if text:
            lines += [f"--- {name}", plain(text).rstrip("\n")]
    if not result.stdout and not result.stderr:
        lines.append("(no output)")
    lines += remarks(result, wide=wide)
    if step := _next_step(result):
        lines += ["---", step]
    return "\n".join(lines)


def remarks(result: RunResult | ExecResult, *, wide: bool) -> list[str]:
    """What came of a command beside its output: what it could not reach, what ended with it."""
    lines: list[str] = []
    if result.no_network:
        lines.append(_NO_NETWORK + (_WITH_NETWORK if wide else ""))
    else:
        lines += [f"network: {decision_text(item)}" for item in result.network if item.outcome != "allowed"]
    if result.left_running:
        lines.append("What it had left running was ended with it." + (_SERVICE if wide else ""))
    return lines


def resumed_line(reason: str | None, *, wide: bool) -> str:
    """Why a machine runs that did not, and what that means."""
    ended = " Its services and shells have ended." if wide else ""
    return f"The workspace was started again first: {reason}.{ended}"


def environments_text(found: Sequence[EnvironmentInfo]) -> str:
    """One line per environment."""
    lines = [f"{item.name} ({item.state.replace('_', ' ')}): {item.summary}" for item in found]
    return "\n".join(
        [*lines, "One that is not pulled is built when it is first used, which takes a minute or more."]
    )


def warnings(isolation: Isolation | None, confinement: Confinement | None) -> list[str]:
    """What a model must know before it runs more in such a machine; mostly nothing."""
    if isolation != "emulated" or confinement == "full":
        return []
    return [
        f"WARNING: this machine is emulated and its confinement is {confinement}: no boundary against code that you do not "
        "trust. Tell the user, who finds the remedy with `pyro doctor`."
    ]


def count_of(number: int, thing: str) -> str:
    """A number of things, in words."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def of_all(total: int | None) -> str:
    """Of how many something shown is the first or last; None: nobody has counted them."""
    return "and there are more" if total is None else f"of {total}"


def spelling(offered: Iterable[str]) -> Spell:
    """How a server with these tools spells what a hint names: as its tools and their arguments are called."""
    tools = set(offered)

    def spell(name: str, value: str | None) -> str | None:
        if name not in tools and any(operation.name == name for operation in all_operations()):
            return None
        return plainly(name, value)

    return spell


def error_text(error: PyroError) -> str:
    """The code for programs, then what went wrong and what to do."""
    return f"{error.code}: {error}"


def _ending(result: RunResult) -> str:
    if result.outcome == "timed_out":
        return "timed out: the command and all it started were killed"
    if result.outcome in ("interrupted", "killed"):
        return f"{result.outcome} before it finished"
    if result.signal is not None:
        return f"ended by signal {result.signal}"
    return f"exit_code {result.exit_code}"


def _next_step(result: RunResult) -> str | None:
    if result.outcome == "timed_out":
        return "Give a larger timeout_seconds, or a command that does less."
    if result.stdout_truncated or result.stderr_truncated:
        return "The middle of the output was cut. Run it again with less output, e.g. through tail or grep."
    return what_to_do(result.exit_code, result.stderr)
