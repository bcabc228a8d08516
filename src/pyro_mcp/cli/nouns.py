"""A noun's commands as a group, each made when it is asked for, so that a command costs itself and no other."""

from collections.abc import Mapping

import click

from pyro_mcp.cli.derive import command_of
from pyro_mcp.cli.groups import SpellingGroup, load
from pyro_mcp.operations.catalogue import nouns_below, operations_of


class NounGroup(SpellingGroup):
    """The commands of one noun and the nouns below it, read off their operations; `by_hand` says where
    others are, by path; `below` is the help of each noun below, by path; `for_people` says where commands are that are no
    operation, by name, with the line that help shows.
    """

    def __init__(
        self,
        noun: str,
        *,
        help: str,
        by_hand: Mapping[str, str] = {},
        below: Mapping[str, str] = {},
        for_people: Mapping[str, tuple[str, str]] = {},
    ) -> None:
        super().__init__(noun.rpartition(".")[2], help=help)
        self._noun = noun
        self._by_hand = by_hand
        self._below = below
        self._for_people = for_people

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [line[0] for line in self._lines()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        path = f"{self._noun}.{cmd_name}"
        if cmd_name in self._for_people:
            return load(self._for_people[cmd_name][0])
        for found in operations_of(self._noun):
            if found.cli[-1] == cmd_name:
                by_hand = self._by_hand.get(path)
                return load(by_hand) if by_hand else command_of(found)
        if cmd_name in nouns_below(self._noun):
            return NounGroup(path, help=self._below[path], by_hand=self._by_hand, below=self._below)
        return None

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from pyro_mcp.cli.examples import OF_NOUNS  # read by people only

        super().format_help_text(ctx, formatter)
        formatter.write_paragraph()
        with formatter.indentation():
            for line in OF_NOUNS[self._noun].splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(self._lines())

    def _lines(self) -> list[tuple[str, str]]:
        lines = [(found.cli[-1], found.summary) for found in operations_of(self._noun)]
        lines += [(name, line) for name, (_, line) in self._for_people.items()]
        return lines + [(name, self._below[f"{self._noun}.{name}"]) for name in nouns_below(self._noun)]
