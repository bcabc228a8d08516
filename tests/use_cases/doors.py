"""The three doors behind one call, so that a job is written once and goes through each of them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent
from tests.use_cases.recipe import wrong_in_recipe
from tests.use_cases.transcript import Transcript

from pyro_mcp import Pyro, PyroError
from pyro_mcp.cli.derive import is_positional, option_names
from pyro_mcp.models.edit import Edit
from pyro_mcp.models.encoding import as_object
from pyro_mcp.operations.catalogue import operation_named
from pyro_mcp.operations.declare import Operation, Parameter, Profile

DoorName = Literal["mcp", "cli", "sdk"]
Answer = dict[str, Any]
_PYRO = str(Path(sys.executable).with_name("pyro"))
# An MCP call may answer before a command ends; no job of ours takes longer than this.
_CALL_SECONDS = 600.0


class Refused(Exception):
    """pyro said no: the text of its error."""


class Door(Protocol):
    """A way to call operations by name."""

    def call(self, operation: str, arguments: Mapping[str, object]) -> tuple[str, Answer]: ...


class Job:
    """One use case going on: calls operations, counts, and cleans up behind itself."""

    def __init__(self, door: Door, transcript: Transcript) -> None:
        self._door = door
        self.transcript = transcript
        self._made: list[str] = []

    def __call__(self, operation: str, **arguments: object) -> Answer:
        """Call an operation; a command that yields is waited for, as a model would."""
        answer = self._once(operation, arguments)
        while answer.get("outcome") == "running" and operation == "workspace_exec":
            more = {"workspace": arguments["workspace"], "exec_id": answer["exec_id"]}
            answer = self._once("workspace_exec_wait", more)
        return answer

    def _once(self, operation: str, arguments: Mapping[str, object]) -> Answer:
        self.transcript.before(operation, arguments)
        try:
            text, answer = self._door.call(operation, arguments)
        except Refused as refused:  # a model reads it, too
            self.transcript.after(operation, arguments, str(refused))
            raise
        self.transcript.after(operation, arguments, text)
        if operation == "workspace_create":
            self._made.append(str(answer["name"]))
        if operation == "workspace_fork":
            self._made += [
                str(fork["workspace"]["name"]) for fork in answer["forks"] if fork.get("workspace")
            ]
        return answer

    def clean_up(self) -> None:
        """Delete what the job left, by the SDK: it is no part of the job."""
        for name in self._made:
            try:
                Pyro().workspace.delete(name)
            except PyroError:
                continue  # the job did it itself


@contextmanager
def working(job: str, door: DoorName, *, profile: Profile, host_root: Path) -> Iterator[Job]:
    """Go through a door with a job; what it cost is printed at the end."""
    with ExitStack() as held:
        held.callback(os.chdir, Path.cwd())
        os.chdir(host_root)
        opened: Door
        if door == "mcp":
            portal = held.enter_context(start_blocking_portal())
            opened = held.enter_context(_mcp(portal, profile, host_root))
        else:
            opened = _Cli() if door == "cli" else _Sdk()
        found = Job(opened, Transcript(job, door))
        held.callback(found.clean_up)
        yield found
        print(f"\n{found.transcript.told()}")
        found.transcript.keep()
        wrong = wrong_in_recipe(job, door, found.transcript.heard, host_root.parent)
        assert not wrong, "\n\n".join(wrong)


class _Mcp:
    def __init__(self, portal: BlockingPortal, client: Client) -> None:
        self._portal = portal
        self._client = client

    def call(self, operation: str, arguments: Mapping[str, object]) -> tuple[str, Answer]:
        result = self._portal.call(self._client.call_tool, operation, dict(arguments))
        text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
        if result.is_error:
            raise Refused(text)
        return text, dict(result.structured_content or {})


@contextmanager
def _mcp(portal: BlockingPortal, profile: Profile, host_root: Path) -> Iterator[_Mcp]:
    words = ["mcp", "serve", "--profile", profile, "--host-root", str(host_root)]
    server = StdioServerParameters(command=_PYRO, args=words, env=dict(os.environ), cwd=host_root)
    with portal.wrap_async_context_manager(Client(stdio_client(server))) as client:
        yield _Mcp(portal, client)


class _Sdk:
    def call(self, operation: str, arguments: Mapping[str, object]) -> tuple[str, Answer]:
        declared = operation_named(operation)
        given = dict(arguments)
        if "edits" in given:
            given["edits"] = [Edit(**edit) for edit in given["edits"]]  # type: ignore[attr-defined]
        try:
            answer = as_object(declared.call(Pyro(), **given), declared.plural)
        except PyroError as error:
            raise Refused(str(error)) from error
        return json.dumps(answer), dict(answer)


class _Cli:
    def call(self, operation: str, arguments: Mapping[str, object]) -> tuple[str, Answer]:
        words, stdin = _words(operation_named(operation), arguments)
        done = subprocess.run(
            [_PYRO, *words], input=stdin, capture_output=True, text=True, check=False, timeout=_CALL_SECONDS
        )
        assert "Traceback" not in done.stderr, done.stderr
        if not done.stdout.startswith("{"):
            raise Refused(done.stderr)
        answer = json.loads(done.stdout)
        if set(answer) == {"error"}:
            raise Refused(done.stdout)
        return done.stdout, answer


# What the command line takes as a file's content instead of a word.
_FROM_STDIN = {"content": "--text-file", "patch": "--patch-file"}


def _words(operation: Operation, arguments: Mapping[str, object]) -> tuple[list[str], str | None]:
    """Spell a call as a person would type it, and what is piped into it."""
    words, stdin, command = [*operation.cli, "--json"], None, []
    for parameter in operation.parameters:
        if parameter.name not in arguments:
            continue
        value = arguments[parameter.name]
        if parameter.name == "command":
            command = ["--", *(["sh", "-c", value] if isinstance(value, str) else _list(value))]
        elif parameter.name in _FROM_STDIN:
            words += [_FROM_STDIN[parameter.name], "-"]
            stdin = str(value)
        elif parameter.name == "edits":
            words += [word for edit in _list(value) for word in ("--edit", edit["old"], edit["new"])]
        elif is_positional(operation, parameter):
            words += list(map(str, value)) if isinstance(value, list | tuple) else [str(value)]
        else:
            words += _option(parameter, value)
    return [*words, *command], stdin


def _option(parameter: Parameter, value: object) -> list[str]:
    name = option_names(parameter)[-1]
    if isinstance(value, bool):
        return [name] if value else []
    if isinstance(value, Mapping):
        return [word for key, item in value.items() for word in (name, f"{key}={item}")]
    if isinstance(value, list | tuple):
        return [word for item in value for word in (name, str(item))]
    return [name, str(value)]


def _list(value: object) -> Sequence[Any]:
    assert isinstance(value, list | tuple)
    return value
