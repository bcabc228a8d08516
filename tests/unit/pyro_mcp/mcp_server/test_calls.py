"""Answers of tools, as they leave."""

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.mcp_server.calls import error_result


def test_a_name_that_is_no_text_does_not_keep_an_error_from_being_sent() -> None:
    """A guest names its files as it likes; what cannot be written as JSON would end the server with all its calls."""
    said = error_result(
        InvalidRequest("na\udcffme is not text", details="\ud800", hint="Read \udcff.")
    ).model_dump_json()
    assert "not text" in said
