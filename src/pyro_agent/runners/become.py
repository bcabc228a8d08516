"""The last steps of a process on its way to being the host's command: root, user, directory, exec."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NoReturn

from pyro_agent.base import system
from pyro_agent.disk import mounts
from pyro_agent.runners.command import PATH, Command
from pyro_agent.runners.users import ROOT, User, find_user
from pyro_wire import messages
from pyro_wire.faults import FaultError
from pyro_wire.messages import Message

# What shells answer; the words go to the command's own stderr, as theirs would.
NOT_FOUND = 127
NOT_EXECUTABLE = 126
NOT_STARTED = 125


def become(request: bytes, report: Callable[[Message], None], *, entered: bool) -> NoReturn:
    """Be the command, or report a fault, or say on stderr why it cannot be run.

    `entered`: whether this process is in the workspace's root already.
    """
    try:
        message = messages.unpack(request)
        command = Command.from_message(message)
        if not entered:
            enter_root()
        user = ROOT if command.user is None else _look_up(command.user)
        if command.terminal is not None:
            _take_terminal(command.terminal, user)
        elif not command.stdin:
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        env = environment(user, messages.text_map(message, "env_defaults"), command.env)
        _enter_folder(command.cwd)
        if user.uid or user.gid:
            _switch_user(user)
        _execute(command.argv, env)
    except FaultError as error:
        report({"fault": error.fault.to_message()})
    except OSError as error:
        report({"broken": str(error)})
    os._exit(NOT_STARTED)


def enter_root() -> None:
    """Leave the agent's root for the workspace's; nothing of the former stays in sight."""
    os.chdir(mounts.ROOT)
    system.pivot_root(".", ".")
    system.unmount(".", system.MNT_DETACH)
    os.chdir("/")
    system.mount("proc", "/proc", "proc", system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC)


def rehearse() -> None:
    """Go through what `become` does, ahead of time and to no effect.

    A forked process copies each page it touches, and emulated code is slow the first time: both are then behind it.
    """
    request = messages.pack({"argv": ["true"], "env": {"A": "b"}, "cwd": "/", "env_defaults": {"C": "d"}})
    command = Command.from_message(messages.unpack(request))
    for candidate in candidates("true", "/nowhere"):
        with suppress(OSError):
            os.execve(candidate, command.argv, environment(ROOT, {}, command.env))


def environment(user: User, defaults: dict[str, str], wanted: dict[str, str]) -> dict[str, str]:
    """Return the command's variables: the request's over the environment's over the least a program expects."""
    least = {"PATH": PATH, "HOME": user.home, "USER": user.name, "LOGNAME": user.name}
    return {**least, **defaults, **wanted}


def candidates(name: str, path: str) -> Iterator[str]:
    """Give the files that a shell would try for a command name, in order."""
    if "/" in name:
        yield name
    else:
        for folder in path.split(":"):
            yield f"{folder or '.'}/{name}"


def refusal(name: str, numbers: set[int]) -> tuple[int, str]:
    """Return exit code and words for a command none of whose candidates could be run."""
    for number in (errno.E2BIG, errno.EACCES):
        if number in numbers:
            return NOT_EXECUTABLE, f"{name}: {os.strerror(number)}"
    unusual = numbers - {errno.ENOENT, errno.ENOTDIR}
    if unusual:
        return NOT_EXECUTABLE, f"{name}: {os.strerror(min(unusual))}"
    return NOT_FOUND, f"{name}: {'no such file' if '/' in name else 'command not found'}"


def _execute(argv: tuple[str, ...], env: dict[str, str]) -> NoReturn:
    numbers: set[int] = set()
    for candidate in candidates(argv[0], env.get("PATH", PATH)):
        try:
            os.execve(candidate, argv, env)
        except OSError as error:
            numbers.add(
                _try_shell(candidate, argv, env) if error.errno == errno.ENOEXEC else error.errno or 0
            )
            if _lacks_interpreter(candidate, error):
                _refuse(NOT_FOUND, f"{candidate}: its interpreter is missing")
    _refuse(*refusal(argv[0], numbers))


def _try_shell(candidate: str, argv: tuple[str, ...], env: dict[str, str]) -> int:
    """Run a script without a first line the way execvp(3) does; return the errno where that fails."""
    try:
        os.execve("/bin/sh", ("sh", candidate, *argv[1:]), env)
    except OSError:
        return errno.ENOEXEC


def _lacks_interpreter(candidate: str, error: OSError) -> bool:
    return error.errno == errno.ENOENT and os.path.lexists(candidate) and os.path.isfile(candidate)


def _refuse(code: int, words: str) -> NoReturn:
    os.write(2, f"pyro: {words}\n".encode("utf-8", "surrogateescape"))
    os._exit(code)


def _enter_folder(path: str) -> None:
    try:
        os.chdir(path)
    except OSError as error:
        raise FaultError(
            "invalid_request",
            f"cannot work in {path}: {os.strerror(error.errno or 0)}",
            hint="give a cwd that exists in the workspace",
        ) from None


def _take_terminal(number: int, user: User) -> None:
    """Make a pseudo-terminal the one that controls this session, and all three streams; it belongs to the user."""
    terminal = os.open(
        f"/dev/pts/{number}", os.O_RDWR
    )  # a session leader without a terminal gets it by opening it
    os.fchown(terminal, user.uid, -1)
    for descriptor in (0, 1, 2):
        os.dup2(terminal, descriptor)
    os.close(terminal)


def _switch_user(user: User) -> None:
    os.setgroups(list(user.groups))
    os.setgid(user.gid)
    os.setuid(user.uid)


def _look_up(user: str) -> User:
    return find_user(user, _read("/etc/passwd"), _read("/etc/group"))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(1 << 20)
    except OSError:
        return ""
