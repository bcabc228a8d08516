import json

import pytest
from tests.doors import ENVIRONMENTS, finished

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.mcp_server.schema import arguments_from, input_schema, output_schema
from pyro_mcp.models.encoding import as_object
from pyro_mcp.operations.catalogue import all_operations, operation_named

RUN = operation_named("vm_run")


def test_input_is_closed_and_says_each_thing_once() -> None:
    schema = input_schema(RUN, "vm-run")
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["environment", "command"]
    assert schema["properties"]["timeout_seconds"] == {
        "type": "number",
        "description": "Stop the command after this.",
        "minimum": 0.1,
        "default": 600,
    }
    assert schema["properties"]["stdin"]["type"] == "string"
    assert "on_output" not in schema["properties"]


@pytest.mark.parametrize("operation", all_operations(), ids=lambda operation: operation.name)
def test_no_titles_and_no_null_noise(operation: object) -> None:
    schema = json.dumps(input_schema(operation_named(getattr(operation, "name")), "workspace-full"))  # noqa: B009
    assert '"title"' not in schema
    assert "null" not in schema


def test_output_schema_fits_what_is_answered() -> None:
    import jsonschema

    jsonschema.validate(as_object(finished(None, signal=9)), output_schema(RUN, "workspace-full"))
    listing = operation_named("vm_list_environments")
    jsonschema.validate(as_object(ENVIRONMENTS, "environments"), output_schema(listing, "workspace-full"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"outcome": "vanished"}, output_schema(RUN, "workspace-full"))


def test_arguments_are_read_by_their_types_and_null_means_not_given() -> None:
    given = {
        "environment": "debian:12",
        "command": ["a", "b"],
        "mem_mib": 512,
        "stdin": None,
        "timeout_seconds": 5,
    }
    assert arguments_from(RUN, "vm-run", given) == {
        "environment": "debian:12",
        "command": ["a", "b"],
        "mem_mib": 512,
        "timeout_seconds": 5,
    }


@pytest.mark.parametrize(
    ("given", "brief", "hint"),
    [
        ({"environment": "a", "comand": "x"}, "no argument 'comand'", "Did you mean command?"),
        (
            {"environment": "a", "command": "x", "zzzz": 1},
            "no argument 'zzzz'",
            "It takes: environment, command",
        ),
        ({"environment": "a"}, "needs command", "sh -c"),
        ({}, "needs environment and command", "debian:12"),
        ({"environment": None, "command": "x"}, "environment must be a string", "debian:12"),
        (
            {"environment": "a", "command": "x", "mem_mib": "lots"},
            "mem_mib must be a whole number",
            "Memory in MiB.",
        ),
        ({"environment": "a", "command": {"x": 1}}, "command must be a string or a list of strings", "sh -c"),
        ({"environment": "a", "command": "x", "env": {"A": 1}}, "env.A must be a string", "Variables"),
    ],
)
def test_wrong_arguments_are_refused_by_name(given: dict[str, object], brief: str, hint: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        arguments_from(RUN, "vm-run", given)
    assert brief in refused.value.brief
    assert hint in (refused.value.hint or "")
