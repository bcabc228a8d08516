"""Files and changes as people read them: mostly as models do, who were given what `ls`, `grep -n` and `git` print."""

from pyro_mcp.mcp_server.texts.diff import unshown
from pyro_mcp.mcp_server.texts.file import (
    content_text,
    edited_text,
    export_text,
    listing_text,
    patch_text,
    push_text,
    removed_text,
    search_text,
    written_text,
)
from pyro_mcp.models.diff import WorkspaceDiff

listing = listing_text
content = content_text
written = written_text
edited = edited_text
matches = search_text
removed = removed_text
patched = patch_text
pushed = push_text
exported = export_text


def beside_diff(found: WorkspaceDiff) -> str:
    """What is asked for and not there; of a diff that shows nothing, what is left out of it."""
    unknown = [f"no such path, before or now: {', '.join(found.unmatched[:10])}"] if found.unmatched else []
    hidden = "" if found.files else " and ".join(unshown(found))
    return "; ".join([*unknown, *([f"not shown: {hidden} (--include-ignored)"] if hidden else [])])


def diff(found: WorkspaceDiff) -> str | bytes:
    """The change alone, byte for byte: it is often piped on to `git apply`."""
    if found.patch_bytes is not None:
        return found.patch_bytes.removesuffix(b"\n")
    return (found.patch or found.stat or found.name_status or "").removesuffix("\n")
