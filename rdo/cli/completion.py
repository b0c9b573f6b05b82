"""`rdoctl completion`: prints what makes a shell complete the command lines of `rdo` and `rdoctl`.

`rdoctl` is completed by click, which is called back. `rdo` is completed by the shell itself (completion_scripts.py):
its own options first, then the command as a command line of its own.
"""

from __future__ import annotations

import os

import click
from click.shell_completion import get_completion_class

from rdo import project
from rdo.cli import completion_scripts, profiles
from rdo.errors import RdoError

VARIABLE = "_RDOCTL_COMPLETE"
"""Where click looks whether it is called back."""


@click.command("completion")
@click.argument("shell", metavar="[bash|zsh|fish]", type=click.Choice(["bash", "zsh", "fish"]), required=False)
@click.option("--profiles", "list_profiles", is_flag=True, hidden=True)
@click.pass_context
def command(ctx: click.Context, shell: str | None, list_profiles: bool) -> None:
    """Print a shell script that completes the command lines of rdo and rdoctl.

    \b
    bash   eval "$(rdoctl completion bash)"     in ~/.bashrc
    zsh    eval "$(rdoctl completion zsh)"      in ~/.zshrc, after compinit
    fish   rdoctl completion fish | source      in ~/.config/fish/config.fish
    """
    if list_profiles:
        for name in known_profiles():
            click.echo(name)
    elif shell:
        click.echo(script(shell, ctx.find_root().command))
    else:
        raise click.UsageError("name a shell: bash, zsh or fish", ctx)


def known_profiles() -> list[str]:
    """The profiles of the nearest config file; none where there is no such file."""
    try:
        return profiles.names(project.discover(os.environ))
    except RdoError:
        return []


def script(shell: str, rdoctl: click.Command) -> str:
    """The script of a shell, for both."""
    by_click = get_completion_class(shell)
    assert by_click is not None
    callback = by_click(rdoctl, {}, "rdoctl", VARIABLE)
    # Not its source(), which looks for a bash of its own, and warns of the one of macOS.
    return callback.source_template % callback.source_vars() + completion_scripts.of(shell)
