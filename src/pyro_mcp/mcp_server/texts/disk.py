"""Disks of stopped workspaces as a model reads them."""

from pyro_mcp.models.disk import DiskContent, DiskExport


def read_text(found: DiskContent) -> str:
    """The file, after a line that says what of it is there."""
    part = "the first bytes" if found.truncated else "all"
    return f"{found.path} ({found.size} bytes, mode {found.mode}, {part}, {found.encoding})\n{found.content}"


def export_text(made: DiskExport) -> str:
    """What was written, and where."""
    counted = f", {made.files} entries" if made.format == "tar" else ""
    missing = f"; {made.left_out} sockets, FIFOs and devices are not in it" if made.left_out else ""
    return f"wrote {made.output_path}: {made.format}, {made.bytes} bytes{counted}{missing}"
