"""`rdoctl completion`: prints what makes a shell complete the command lines of `rdo` and `rdoctl`.

The scripts are files beside this one, in which `@NAME@` is a place for what is known here of the options of `rdo`. The
one for bash works from bash 3.2 on, which macOS has. They complete `rdo` by themselves: its own options first, then the
command as a command line of its own. For `rdoctl` they call `rdoctl __complete`, which is offers.py.
"""

from __future__ import annotations

import os

from rdo import project
from rdo.cli.declaration import Choice, Command, Option
from rdo.client import argv
from rdo.errors import RdoError, UsageError

HELP = {
    ("-p", "--profile"): "use this profile",
    ("-e", "--env"): "set a variable",
    ("-c",): "run a shell string",
    ("-C",): "run as if started in this directory",
    ("--project",): "use the .rdo.conf of this directory",
    ("--fallback",): "run the local tool if the target cannot be reached",
    ("--dir",): "run in this directory of the target",
    ("--no-map",): "leave local paths in arguments unchanged",
    ("-m", "--map-output"): "rewrite the target paths in output to local ones",
    ("--no-map-output",): "leave paths in output unchanged",
    ("-s", "--sudo"): "run as root",
    ("-u", "--user"): "run as this user",
    ("-t",): "run with a terminal",
    ("-T",): "run without a terminal",
    ("-n",): "give the command an empty stdin",
    ("-L",): "forward a port here to the target",
    ("-D",): "run a SOCKS proxy here that connects from the target",
    ("-R",): "forward a port of the target to this machine",
    ("--no-sync",): "copy no files",
    ("--sync-only",): "copy files, and run nothing",
    ("--watch",): "run the command again after each change",
    ("-v", "--verbose"): "report each step on stderr",
    ("-h", "--help"): "show this help",
    ("--version",): "show the version",
}
"""All options of rdo, with their synonyms."""

REPEATED = ("-e", "-D", "-L", "-R")
"""Options that may be given several times."""

ZSH_VALUES = {
    "-p": ":profile:($(rdoctl completion --profiles 2>/dev/null))",
    "-e": ":variable:_parameters -g '*export*'",
    "-c": ":shell string: ",
    "-C": ":directory:_directories",
    "--project": ":directory:_directories",
    "--dir": ":directory of the target: ",
    "-u": ":user of the target: ",
    "-D": ":forward: ",
    "-L": ":forward: ",
    "-R": ":forward: ",
}
FISH_VALUES = {
    "-p": "-x -a '(rdoctl completion --profiles 2>/dev/null)'",
    "-e": "-x -a '(set --names --export)='",
    "-c": "-x",
    "-C": "-x -a '(__fish_complete_directories)'",
    "--project": "-x -a '(__fish_complete_directories)'",
    "--dir": "-x",
    "-u": "-x",
    "-D": "-x",
    "-L": "-x",
    "-R": "-x",
}


def run(shell: str | None, list_profiles: bool) -> None:
    """Print a shell script that completes the command lines of rdo and rdoctl.

    \b
    bash   eval "$(rdoctl completion bash)"     in ~/.bashrc
    zsh    eval "$(rdoctl completion zsh)"      in ~/.zshrc, after compinit
    fish   rdoctl completion fish | source      in ~/.config/fish/config.fish
    """
    if list_profiles:
        for name in known_profiles():
            print(name)
    elif shell:
        print(script(shell))
    else:
        raise UsageError("an argument is missing", "", "type `rdoctl completion bash`, `zsh` or `fish`")


command = Command(
    "completion", run, (Choice("shell", ("bash", "zsh", "fish")), Option("list_profiles", ("--profiles",), ""))
)


def known_profiles() -> list[str]:
    """The profiles of the nearest config file; none if there is no such file."""
    from rdo.cli import profiles  # no script needs the table of keys, which would be most of what this command loads

    try:
        return profiles.names(project.discover(os.environ))
    except RdoError:
        return []


def script(shell: str) -> str:
    """The completion script for a shell."""
    with open(os.path.join(os.path.dirname(__file__), f"completion.{shell}"), encoding="ascii") as file:
        source = file.read()
    for place, text in {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]().items():
        source = source.replace(f"@{place}@", text)
    return source


def _bash() -> dict[str, str]:
    return {"OPTIONS": "\n".join(name for names in HELP for name in names), "VALUES": " | ".join(argv.VALUES)}


def _zsh() -> dict[str, str]:
    lines = []
    for names, text in HELP.items():
        value = ZSH_VALUES.get(names[0], "").replace("'", "'\\''")
        for name in names:
            sign = "" if not value else "=" if name.startswith("--") else "+"
            repeat = "*" if names[0] in REPEATED else f"({' '.join(names)})"
            lines.append(f"        '{repeat}{name}{sign}[{text}]{value}' \\")
    return {"OPTIONS": "\n".join(lines)}


def _fish() -> dict[str, str]:
    lines = []
    for names, text in HELP.items():
        switches = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in names)
        lines.append(f"complete -c rdo -n __rdo_options {switches} {FISH_VALUES.get(names[0], '')} -d '{text}'")
    return {"SPECS": _fish_specs(), "OPTIONS": "\n".join(lines)}


def _fish_specs() -> str:
    """The options as argparse of fish has them: `p/profile=`; one without a letter gets none by `L-`."""
    specs = []
    for names in HELP:
        value = "=" if names[0] in argv.VALUES else ""
        words = [name.lstrip("-") for name in names]
        specs.append("/".join(words) + (value + "+" if names[0] in REPEATED else value))
    return " ".join(specs)
