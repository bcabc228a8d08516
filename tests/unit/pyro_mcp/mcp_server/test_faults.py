"""Wrong arguments, told in the words of JSON."""

import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.mcp_server.schema import arguments_from
from pyro_mcp.operations.catalogue import operation_named

EDIT: dict[str, object] = {"workspace": "w", "path": "a"}
SERVE: dict[str, object] = {"workspace": "w", "service": "s", "command": "x"}


@pytest.mark.parametrize(
    ("operation", "given", "brief"),
    [
        (
            "workspace_file_edit",
            {**EDIT, "edits": [{"old_string": "a", "new_string": "b"}]},
            """edits[0] has no 'old': each is {"old", "new", "count"?}""",
        ),
        (
            "workspace_file_edit",
            {**EDIT, "edits": [{"old": "a", "new": "b", "all": True}]},
            """edits[0] cannot have 'all': each is {"old", "new", "count"?}""",
        ),
        ("workspace_file_edit", {**EDIT, "edits": {"old": "a", "new": "b"}}, "edits must be a list"),
        ("workspace_file_edit", {**EDIT, "edits": ["a"]}, "edits[0] must be an object"),
        ("workspace_file_edit", {**EDIT, "edits": [{"old": 1, "new": "b"}]}, "edits[0].old must be a string"),
        ("workspace_diff", {"workspace": "w", "paths": "src"}, "paths must be a list of strings"),
        ("workspace_exec", {"workspace": "w", "command": 5}, "command must be a string or a list of strings"),
        (
            "workspace_exec",
            {"workspace": "w", "command": "a", "env": ["A=b"]},
            'env must be an object such as {"NAME": "…"}',
        ),
        (
            "workspace_exec",
            {"workspace": "w", "command": "a", "timeout_seconds": "long"},
            "timeout_seconds must be a number",
        ),
        (
            "service_start",
            {**SERVE, "readiness": "http://x"},
            'readiness must be an object such as {"file": "…"}',
        ),
        (
            "service_start",
            {**SERVE, "readiness": {"url": "x"}},
            """readiness cannot have 'url': it is {"file"?, "tcp"?, "http"?, "command"?}""",
        ),
        (
            "workspace_patch_apply",
            {"workspace": "w", "patch": "", "strip": [1]},
            'strip must be a whole number or "auto"',
        ),
    ],
)
def test_a_fault_says_where_it_is_and_what_belongs_there(
    operation: str, given: dict[str, object], brief: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        arguments_from(operation_named(operation), "workspace-full", given)
    assert refused.value.brief == brief


@pytest.mark.parametrize(
    ("operation", "given", "hint"),
    [
        ("workspace_exec", {"workspace": "w", "cmd": "ls"}, "Did you mean command?"),
        ("workspace_exec", {"workspace": "w", "command": "ls", "cmd": "ls"}, "Did you mean cwd?"),
        (
            "workspace_file_edit",
            {**EDIT, "old_string": "a"},
            "It needs edits: Texts to replace, exactly as they are; each occurs `count` times. "
            'Each is {"old", "new", "count"?}.',
        ),
    ],
)
def test_an_argument_that_is_missing_is_what_was_meant(
    operation: str, given: dict[str, object], hint: str
) -> None:
    with pytest.raises(InvalidRequest, match="has no argument") as refused:
        arguments_from(operation_named(operation), "workspace-full", given)
    assert refused.value.hint == hint
