"""What a model is told of the server before it sees a tool: prose, in paragraphs that stand where their tools are."""

import re
from functools import cache
from importlib.resources import files

from pyro_mcp.operations.catalogue import operations_in
from pyro_mcp.operations.declare import Profile

_MARK = re.compile(r"\A\[([\w ]+)\]\s+")


@cache
def guide(profile: Profile) -> str:
    """The instructions of one profile."""
    return for_profile((files("pyro_mcp.mcp_server") / "guide.md").read_text(encoding="utf-8"), profile)


def for_profile(text: str, profile: Profile) -> str:
    """Keep the paragraphs whose tools a profile has. One begins with them: `[workspace_create]`, or with none; `[not x]` is
    for where x is not."""
    offered = {operation.name for operation in operations_in(profile)}
    return "\n\n".join(kept for part in text.strip().split("\n\n") if (kept := _kept(part, offered)))


def _kept(paragraph: str, offered: set[str]) -> str:
    mark = _MARK.match(paragraph)
    if mark is None:
        return paragraph.strip()
    words = mark[1].split()
    absent, tools = words[0] == "not", [word for word in words if word != "not"]
    fits = not offered & set(tools) if absent else set(tools) <= offered
    return paragraph[mark.end() :].strip() if fits else ""
