"""A group of commands that offers the nearest one where there is none of a name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

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


class LazyGroup(CommandGroup):
    """A group that loads a command's module, where it is called `command`, only once that command is asked for.

    All of them together take longer to load than any takes to run.
    """

    def __init__(self, *, modules: Mapping[str, str], **more: Any) -> None:
        super().__init__(**more)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See click."""
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See click."""
        if cmd_name not in self._modules:
            return None
        command: click.Command = importlib.import_module(self._modules[cmd_name]).command
        return command
