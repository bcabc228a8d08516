"""What a host attaches: the resources of the workspace `tour` of test_mcp_tools, and completions of names."""

import json
from base64 import b64encode

import pytest
from mcp import MCPError
from mcp_types import (
    BlobResourceContents,
    PromptReference,
    ResourceTemplateReference,
    TextResourceContents,
)
from tests.chat_host import Told

BINARY = bytes(range(256))


async def look_at_resources(told: Told) -> None:
    """List, read and complete them; the workspace is there, with its seed and without a change."""
    client = told.client
    listed = [item.uri for item in (await client.list_resources()).resources]
    assert listed == [
        "pyro://workspaces",
        *(f"pyro://workspaces/tour{end}" for end in ("", "/diff", "/logs")),
    ]
    for uri in listed:
        contents = (await client.read_resource(uri)).contents[0]
        assert isinstance(contents, TextResourceContents)
        assert len(contents.text) < 33_000
        if not uri.endswith("diff"):
            assert contents.mime_type == "application/json"
            json.loads(contents.text)
    await told.use("workspace_file_write", workspace="tour", path="new.txt", content="new\n")
    diff = (await client.read_resource("pyro://workspaces/tour/diff")).contents[0]
    assert (diff.mime_type, "+new" in getattr(diff, "text", "")) == ("text/x-diff", True)
    source = (await client.read_resource("pyro://workspaces/tour/files/src/app.py")).contents[0]
    assert isinstance(source, TextResourceContents)
    assert (source.mime_type, source.text.startswith("def total")) == ("text/x-python", True)
    encoded = (await client.read_resource("pyro://workspaces/tour/files/src%2Fapp.py")).contents[0]
    assert isinstance(encoded, TextResourceContents)
    assert encoded.text == source.text
    blob = (await client.read_resource("pyro://workspaces/tour/files/data.bin")).contents[0]
    assert isinstance(blob, BlobResourceContents)
    assert (blob.mime_type, blob.blob) == ("application/octet-stream", b64encode(BINARY).decode())
    for uri in (
        "pyro://workspaces/nobody",
        "pyro://workspaces/tour/files/nothing",
        "pyro://workspaces/tour/files/../../etc/passwd",
        "pyro://workspaces/tour/files/..%2F..%2Fetc%2Fpasswd",
        "pyro://workspaces/tour/files//etc/passwd",
        "pyro://x",
        "file:///etc",
    ):
        with pytest.raises(MCPError):
            await client.read_resource(uri)
    names = ResourceTemplateReference(type="ref/resource", uri="pyro://workspaces/{name}")
    found = await client.complete(names, {"name": "name", "value": "to"})
    assert found.completion.values == ["tour"]
    prompt = PromptReference(type="ref/prompt", name="repro-and-fix")
    found = await client.complete(prompt, {"name": "environment", "value": "debian:12-b"})
    assert found.completion.values == ["debian:12-base", "debian:12-build"]
