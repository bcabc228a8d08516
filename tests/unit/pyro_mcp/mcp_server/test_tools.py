import pytest

from pyro_mcp.mcp_server.tools import tool
from pyro_mcp.operations.catalogue import all_operations, operation_named
from pyro_mcp.operations.declare import Operation


@pytest.mark.parametrize(
    ("name", "hints"),
    [  # reads only, may destroy, may be repeated
        ("vm_run", (False, False, False)),
        ("workspace_list", (True, False, True)),
        ("workspace_exec", (False, False, False)),
        ("workspace_file_write", (False, False, True)),
        ("workspace_file_edit", (False, False, False)),
        ("workspace_file_remove", (False, True, True)),
        ("workspace_export", (False, True, False)),
        ("workspace_sync_push", (False, True, True)),
        ("workspace_reset", (False, True, True)),
        ("workspace_delete", (False, True, True)),
        ("workspace_update", (False, False, True)),
    ],
)
def test_hints_say_what_a_tool_may_do(name: str, hints: tuple[bool, bool, bool]) -> None:
    told = tool(operation_named(name), "workspace-core").annotations
    assert told is not None
    assert (told.read_only_hint, told.destructive_hint, told.idempotent_hint) == hints
    assert told.open_world_hint is False


@pytest.mark.parametrize("operation", all_operations(), ids=lambda operation: operation.name)
def test_every_tool_has_a_title_of_a_few_words_and_a_description(operation: Operation) -> None:
    described = tool(operation, "workspace-full")
    assert described.title
    assert 2 <= len(described.title.split()) <= 5
    assert described.title[0].isupper()
    assert described.description
    assert described.description.endswith(".")


def test_titles_are_not_shared() -> None:
    titles = [operation.title for operation in all_operations()]
    assert sorted(titles) == sorted(set(titles))
