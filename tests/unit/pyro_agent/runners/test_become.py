"""The last steps before exec: which files are tried, with which variables, and what a shell would say."""

from __future__ import annotations

import errno

import pytest

from pyro_agent.runners.become import NOT_EXECUTABLE, NOT_FOUND, candidates, environment, refusal
from pyro_agent.runners.users import ROOT, User


def test_a_bare_name_is_looked_for_along_the_path() -> None:
    assert list(candidates("git", "/usr/bin::/bin")) == ["/usr/bin/git", "./git", "/bin/git"]


@pytest.mark.parametrize("name", ["./git", "/bin/git", "a/b"])
def test_a_name_with_a_slash_is_taken_as_it_is(name: str) -> None:
    assert list(candidates(name, "/usr/bin")) == [name]


@pytest.mark.parametrize(
    ("numbers", "code", "words"),
    [
        ({errno.ENOENT}, NOT_FOUND, "x: command not found"),
        ({errno.ENOENT, errno.ENOTDIR}, NOT_FOUND, "x: command not found"),
        (set(), NOT_FOUND, "x: command not found"),
        ({errno.ENOENT, errno.EACCES}, NOT_EXECUTABLE, "x: Permission denied"),
        ({errno.E2BIG}, NOT_EXECUTABLE, "x: Argument list too long"),
        ({errno.ENOENT, errno.ENOEXEC}, NOT_EXECUTABLE, "x: Exec format error"),
    ],
)
def test_a_command_that_cannot_run_is_answered_as_by_a_shell(
    numbers: set[int], code: int, words: str
) -> None:
    assert refusal("x", numbers) == (code, words)


def test_a_missing_path_is_no_missing_command() -> None:
    assert refusal("./x", {errno.ENOENT}) == (NOT_FOUND, "./x: no such file")


def test_the_requests_variables_win_over_the_environments_over_the_least() -> None:
    env = environment(ROOT, {"PATH": "/opt", "LANG": "C.UTF-8"}, {"LANG": "C", "HOME": "/tmp"})
    assert env == {"PATH": "/opt", "HOME": "/tmp", "USER": "root", "LOGNAME": "root", "LANG": "C"}
    assert environment(User("dev", 1, 1, "/home/dev", ()), {}, {})["HOME"] == "/home/dev"
