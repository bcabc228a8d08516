import math
from typing import Annotated, get_args

import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models import arguments, workspace_arguments
from pyro_mcp.models.arguments import Argument, check


def _argument(annotation: object) -> Argument:
    return next(item for item in get_args(annotation) if isinstance(item, Argument))


@pytest.mark.parametrize("name", ["debian:12", "debian:12-base", "mine", "team/tools:v1.2_3"])
def test_environment_names_that_are_taken(name: str) -> None:
    check("environment", name, _argument(arguments.EnvironmentRef))


@pytest.mark.parametrize(
    "name", ["", " ", "Debian:12", "debian:12\n", "debian:", "-x", "a b", "a\0", 12, None]
)
def test_environment_names_that_are_not(name: object) -> None:
    with pytest.raises(InvalidRequest, match=r"environment .* is not of the form") as refused:
        check("environment", name, _argument(arguments.EnvironmentRef))
    assert "debian:12" in (refused.value.hint or "")


def test_people_are_told_a_form_and_no_regular_expression() -> None:
    for annotation in (
        arguments.EnvironmentRef,
        workspace_arguments.WorkspaceRef,
        workspace_arguments.ExecId,
    ):
        told = _argument(annotation).fault("Not this")
        assert told
        assert "[" not in told
    assert "issue-123: lowercase letters, digits and -" in str(
        _argument(workspace_arguments.WorkspaceRef).fault("Take")
    )


@pytest.mark.parametrize(
    ("given", "told"), [(9_999_999, "is 9999999; the most is 1048576"), (1, "is 1; the least is 128")]
)
def test_numbers_are_told_in_digits(given: int, told: str) -> None:
    assert _argument(arguments.MemMib).fault(given) == told


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ([], "is empty"),
        ([""], "is empty"),
        (["echo", "a\0b"], "NUL"),
        (["half\ud800"], "surrogate"),
        ("a\0b", "NUL"),
        (["echo", 7], "neither a string nor a list of strings"),
        (None, "neither a string nor a list of strings"),
        (["x" * (128 * 1024)], "more than the kernel takes"),
        (["x" * 1000] * 3000, "more than the kernel takes"),
    ],
)
def test_commands_that_no_kernel_would_take(command: object, fault: str) -> None:
    with pytest.raises(InvalidRequest, match=fault):
        check("command", command, _argument(arguments.Command))


@pytest.mark.parametrize(
    "command", ["true", ["git", "--version"], ("printf", ""), ["x" * (128 * 1024 - 1)], ["ä\udcff"]]
)
def test_commands_that_are_taken(command: object) -> None:
    check("command", command, _argument(arguments.Command))


@pytest.mark.parametrize(
    ("env", "fault"),
    [
        ({"": "x"}, "must not be empty"),
        ({"A=B": "x"}, "contain '='"),
        ({"A": "x\0"}, "NUL"),
        ({"A": 1}, "not both strings"),
        ("A=1", "is not a mapping"),
    ],
)
def test_variables_that_no_process_can_have(env: object, fault: str) -> None:
    with pytest.raises(InvalidRequest, match=fault):
        check("env", env, _argument(arguments.EnvMapping))


@pytest.mark.parametrize(
    ("annotation", "value", "fault"),
    [
        (arguments.VcpuCount, 0, "the least is 1"),
        (arguments.VcpuCount, 33, "the most is 32"),
        (arguments.MemMib, 10**9, "the most is"),
        (arguments.MemMib, "1024", "is not a number"),
        (arguments.MemMib, True, "is not a number"),
        (arguments.TimeoutSeconds, 0, "the least is 0.1"),
        (arguments.TimeoutSeconds, math.nan, "the least is"),
        (arguments.TimeoutSeconds, math.inf, "the most is"),
    ],
)
def test_absurd_sizes(annotation: object, value: object, fault: str) -> None:
    with pytest.raises(InvalidRequest, match=fault):
        check("it", value, _argument(annotation))


def test_a_long_wrong_value_is_shown_short() -> None:
    with pytest.raises(InvalidRequest) as refused:
        check("environment", "X" * 10_000, _argument(arguments.EnvironmentRef))
    assert len(refused.value.brief) < 200


def test_every_concept_has_a_sentence() -> None:
    described = [
        value
        for value in vars(arguments).values()
        if getattr(value, "__metadata__", None) and value is not Annotated
    ]
    texts = [item.text for value in described for item in value.__metadata__ if isinstance(item, Argument)]
    assert len(texts) >= 7
    assert [text for text in texts if not text.endswith(".")] == []
