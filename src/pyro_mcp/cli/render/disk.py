"""Disks of stopped workspaces as people read them."""

from pyro_mcp.mcp_server.texts.disk import export_text
from pyro_mcp.models.disk import DiskContent

exported = export_text


def content(found: DiskContent) -> str:
    """The file alone; in base64 where it is no text."""
    return found.content.removesuffix("\n")
