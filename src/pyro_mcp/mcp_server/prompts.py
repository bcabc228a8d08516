"""Prompts: the jobs that people come with, each a text with arguments, in a file of its own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import mcp_types as types

from pyro_mcp.errors import InvalidRequest, NotFound
from pyro_mcp.mcp_server.guide import for_profile
from pyro_mcp.operations.catalogue import operations_in
from pyro_mcp.operations.declare import Profile

_PLACE = re.compile(r"\{(\w+)\}")
# All prompts work with workspaces; where there are none, there is nothing to prompt for.
_NEEDED = "workspace_create"


@dataclass(frozen=True)
class Prompt:
    """One file: a head in TOML between lines of +++, then the text, in which {name} stands for an argument."""

    name: str
    title: str
    description: str
    # Without a default it has to be given.
    arguments: Mapping[str, Mapping[str, str]]
    text: str

    def described(self) -> types.Prompt:
        """As a host lists it."""
        arguments = [
            types.PromptArgument(name=name, description=facts["text"], required="default" not in facts)
            for name, facts in self.arguments.items()
        ]
        return types.Prompt(
            name=self.name, title=self.title, description=self.description, arguments=arguments
        )

    def filled(self, given: Mapping[str, str], profile: Profile) -> str:
        """The text with its arguments. Raises InvalidRequest for one that is unknown or missing."""
        if unknown := [name for name in given if name not in self.arguments]:
            raise InvalidRequest(
                f"the prompt {self.name} has no argument {unknown[0]!r}",
                hint=f"It takes: {', '.join(self.arguments)}.",
            )
        values = {name: given.get(name) or facts.get("default", "") for name, facts in self.arguments.items()}
        if missing := [name for name, value in values.items() if not value]:
            raise InvalidRequest(
                f"the prompt {self.name} needs {' and '.join(missing)}",
                hint=" ".join(f"{name}: {self.arguments[name]['text']}" for name in missing),
            )
        return _PLACE.sub(lambda place: values[place[1]], for_profile(self.text, profile))


def prompts_in(profile: Profile) -> dict[str, Prompt]:
    """The prompts of a profile, by name."""
    offered = {operation.name for operation in operations_in(profile)}
    return _all_prompts() if _NEEDED in offered else {}


def prompt_named(name: str, profile: Profile) -> Prompt:
    """Find one; raises NotFound."""
    found = prompts_in(profile)
    if name not in found:
        raise NotFound(f"no prompt is called {name[:200]!r}", hint=f"Prompts: {', '.join(found) or 'none'}.")
    return found[name]


@cache
def _all_prompts() -> dict[str, Prompt]:
    folder = files("pyro_mcp.mcp_server") / "prompt_texts"
    texts = {item.name.removesuffix(".md"): item for item in folder.iterdir() if item.name.endswith(".md")}
    return {name: _parsed(name, texts[name].read_text(encoding="utf-8")) for name in sorted(texts)}


def _parsed(name: str, source: str) -> Prompt:
    _, head, text = source.split("+++\n", 2)
    facts = tomllib.loads(head)
    return Prompt(name, facts["title"], facts["description"], facts["arguments"], text.strip())
