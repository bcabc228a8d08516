"""A noun's commands as a group, each made when it is asked for, so that a command costs itself and no other."""

from collections.abc import Mapping

import click

from pyro_mcp.cli.derive import command_of
from pyro_mcp.cli.groups import SpellingGroup, load
from pyro_mcp.operations.catalogue import nouns_below, operations_of


class NounGroup(SpellingGroup):
    """The commands of one noun and the nouns below it, read off their operations; `by_hand` says where
    others are, by path; `below` is the help of each noun below, by path.
    """

    def __init__(
        self,
        noun: str,
        *,
        help: str,
        by_hand: Mapping[str, str] = {},
        below: Mapping[str, str] = {},
    ) -> None:
        super().__init__(noun.rpartition(".")[2], help=help)
        self._noun = noun
        self._by_hand = by_hand
        self._below = below

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*(found.cli[-1] for found in operations_of(self._noun)), *nouns_below(self._noun)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        path = f"{self._noun}.{cmd_name}"
        for found in operations_of(self._noun):
            if found.cli[-1] == cmd_name:
                by_hand = self._by_hand.get(path)
                return load(by_hand) if by_hand else command_of(found)
        if cmd_name in nouns_below(self._noun):
            return NounGroup(path, help=self._below[path], by_hand=self._by_hand, below=self._below)
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lines = [(found.cli[-1], found.summary) for found in operations_of(self._noun)]
        lines += [(name, self._below[f"{self._noun}.{name}"]) for name in nouns_below(self._noun)]
        with formatter.section("Commands"):
            formatter.write_dl(lines)
