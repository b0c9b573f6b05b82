"""A group of commands that offers the nearest one where there is none of a name."""

from __future__ import annotations

import click

from rdo.errors import printable
from rdo.util.phrases import nearest


class CommandGroup(click.Group):
    """See click.Group."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See click."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            hint = nearest(name, self.list_commands(ctx)) or f"see `{ctx.command_path} --help`"
            raise click.UsageError(f"there is no command `{printable(name)}`; {hint}", ctx)
        return super().resolve_command(ctx, args)
