import re

import pytest

from pyro_mcp.errors import InvalidRequest, NotFound
from pyro_mcp.mcp_server.prompts import prompt_named, prompts_in
from pyro_mcp.operations.catalogue import operations_in
from pyro_mcp.operations.declare import Profile

JOBS = {
    "cold-start-validation",
    "repro-and-fix",
    "parallel-attempts",
    "untrusted-inspection",
    "review-and-evaluate",
}
WITH_PROMPTS: tuple[Profile, ...] = ("workspace-core", "workspace-full")


def test_the_five_jobs_are_there_where_workspaces_are() -> None:
    assert prompts_in("vm-run") == {}
    for profile in WITH_PROMPTS:
        assert set(prompts_in(profile)) == JOBS


@pytest.mark.parametrize("profile", WITH_PROMPTS)
@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_prompt_uses_all_its_arguments_and_only_tools_that_are_there(name: str, profile: Profile) -> None:
    prompt = prompt_named(name, profile)
    given = {argument: f"<{argument}>" for argument in prompt.arguments}
    text = prompt.filled(given, profile)
    assert all(value in text for value in given.values())
    assert not re.search(r"\{\w+\}|^\[", text, re.MULTILINE)
    offered = {operation.name for operation in operations_in(profile)}
    assert set(re.findall(r"\b(?:vm|workspace|snapshot|shell|service)_\w+", text)) <= offered


def test_what_has_a_default_need_not_be_given() -> None:
    prompt = prompt_named("cold-start-validation", "workspace-core")
    assert "environment debian:12-build" in prompt.filled({"repository": "."}, "workspace-core")
    described = prompt.described()
    assert [(item.name, item.required) for item in described.arguments or []] == [
        ("repository", True),
        ("environment", False),
    ]


def test_what_a_user_gives_is_text_and_no_pattern() -> None:
    text = prompt_named("repro-and-fix", "workspace-core").filled(
        {"repository": "{problem}", "problem": r"\1 {repository} [snapshot_create]"}, "workspace-core"
    )
    assert "Reproduce this problem in {problem}" in text
    assert r"\1 {repository} [snapshot_create]" in text


@pytest.mark.parametrize(
    ("given", "brief"),
    [({}, "needs repository"), ({"repository": "."}, "needs problem"), ({"repo": "."}, "no argument 'repo'")],
)
def test_wrong_arguments_are_refused_by_name(given: dict[str, str], brief: str) -> None:
    with pytest.raises(InvalidRequest, match=brief):
        prompt_named("repro-and-fix", "workspace-core").filled(given, "workspace-core")


def test_an_unknown_prompt_is_told_the_others() -> None:
    with pytest.raises(NotFound) as refused:
        prompt_named("x", "workspace-core")
    assert "repro-and-fix" in (refused.value.hint or "")
