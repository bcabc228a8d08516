"""Groups of commands that load what is asked for, so that a command costs itself and no other."""

from importlib import import_module

import click


def load(place: str) -> click.Command:
    """Import the command at `module:name`."""
    module, _, name = place.partition(":")
    found = getattr(import_module(module), name)
    assert isinstance(found, click.Command)
    return found


class SpellingGroup(click.Group):
    """A group that tells the near name of a misspelt one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            raise click.NoSuchCommand(args[0], possibilities=known, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its whole first sentence."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        lines = [(name, command.get_short_help_str(limit=300)) for name, command in found if command]
        with formatter.section("Commands"):
            formatter.write_dl(lines)
