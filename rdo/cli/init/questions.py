"""The questions of `rdoctl init`: asked on the terminal. Without a terminal, options have to answer them.

The hosts that the user's ssh configuration names are offered. Their settings are not read: that is left to `ssh -G`.
"""

from __future__ import annotations

import glob
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from rdo.cli.init.survey import read
from rdo.config.schema import DRIVERS, KEYS
from rdo.config.types import InvalidValue
from rdo.errors import RdoError, one_line, without_middle
from rdo.util.phrases import listed

NOTHING_FOUND = "there is no Vagrantfile, compose file, Dockerfile or devcontainer.json here"
NOTHING_ELSE = "no other file here says where commands run"

NO_TERMINAL = "there is no terminal to ask on"

OFFER_LIMIT = 20
"""The most names that a question lists."""

MEANINGS = {
    "ssh": "a host or VM that you log in to",
    "vagrant": "the machine of a Vagrantfile",
    "docker": "a container, a service of a compose file, or an image",
    "local": "another directory of this machine",
}

INCLUDE_DEPTH_LIMIT = 16
"""How deeply Include may be nested; OpenSSH has the same limit."""

FILE_COUNT_LIMIT = 1000
"""The most files of the ssh configuration that are read in all."""


def checked(name: str, value: Any) -> Any:
    """Return the answer if it is a valid value of its key. Raises RdoError."""
    try:
        KEYS[name].value_type.check(value)
    except InvalidValue as error:
        hint = error.hint or (f"write `{error.instead}`" if error.instead else "")
        raise RdoError(f"`--{name}` {error.why}", hint=hint) from None
    return value


def driver(because: str) -> str:
    """Ask for the driver, since no file names one, as `because` states. Raises RdoError without a terminal."""
    if not sys.stdin.isatty():
        names = offered(ssh_hosts(os.environ))
        ssh = "`--host`" + (f" (~/.ssh/config names {names})" if names else "")
        hint = f"use {ssh}, `--container`, `--image`, or `--driver`"
        raise RdoError("`--driver` is missing", f"{because}, and {NO_TERMINAL}", hint)
    click.echo(f"{because}. Where do the commands of this directory run?", err=True)
    for name in DRIVERS:
        click.echo(f"  {name:<8} {MEANINGS[name]}", err=True)
    return str(click.prompt("driver", type=click.Choice(DRIVERS), err=True))


def one_of(name: str, because: str, choices: Sequence[str]) -> str:
    """Ask for one of several values. Without a terminal, raises an RdoError that names the option."""
    _need_terminal(name, because, choices[0])
    click.echo(without_middle(one_line(because)), err=True)
    while True:
        answer = str(click.prompt(_question(name), err=True))  # click itself would print the choices unescaped
        if answer in choices:
            return str(checked(name, answer))
        click.echo(f"answer with one of {without_middle(one_line(offered(choices)))}", err=True)


def value(name: str, because: str) -> Any:
    """Ask for a value of the key until it is valid. Without a terminal, raises an RdoError that names the option."""
    names = offered(ssh_hosts(os.environ)) if name == "host" else ""
    _need_terminal(name, f"{because}; ~/.ssh/config names {names}" if names else because)
    if names:
        click.echo(one_line(f"~/.ssh/config names {names}"), err=True)
    while True:
        answer = click.prompt(_question(name), err=True)
        try:
            return checked(name, answer)
        except RdoError as error:
            click.echo(str(error), err=True)


def offered(names: Sequence[str]) -> str:
    """A list for people, cut if it is long."""
    more = len(names) - OFFER_LIMIT
    return listed(names[:OFFER_LIMIT]) + (f" and {more} more" if more > 0 else "")


def _need_terminal(name: str, because: str, example: str = "") -> None:
    if not sys.stdin.isatty():
        example = example or (KEYS[name].example.strip('"') if name in KEYS else "NAME")
        raise RdoError(
            f"`--{name}` is missing", f"{because}, and {NO_TERMINAL}", f"as in `--{name} {shlex.quote(example)}`"
        )


def _question(name: str) -> str:
    if name not in KEYS:
        return name
    return f"{KEYS[name].help} (such as {KEYS[name].example.strip(chr(34))})"


def ssh_hosts(environment: Mapping[str, str]) -> list[str]:
    """The host aliases in ~/.ssh/config, or in the file that RDO_SSH_CONFIG names, and in the files it includes."""
    home = environment.get("HOME") or os.path.expanduser("~")
    path = environment.get("RDO_SSH_CONFIG") or os.path.join(home, ".ssh", "config")
    budget = iter(range(FILE_COUNT_LIMIT))
    words = (word for line in _host_lines(path, home, 0, budget) for word in line)
    return list(dict.fromkeys(word for word in words if not set(word) & set("*?!%") and not word.startswith("-")))


def _host_lines(path: str, home: str, depth: int, budget: Iterator[int]) -> Iterator[list[str]]:
    """The words of each `Host` line."""
    text = read(os.path.dirname(path), os.path.basename(path))
    if text is None or depth > INCLUDE_DEPTH_LIMIT or next(budget, None) is None:
        return
    for line in text.split("\n"):
        keyword, *words = _words(line)
        if keyword == "host":
            yield words
        elif keyword == "include":
            for included in [each for word in words for each in sorted(glob.glob(_in_ssh_directory(word, home)))]:
                yield from _host_lines(included, home, depth + 1, budget)


def _words(line: str) -> list[str]:
    """The keyword, in lower case, and the arguments of `Key value` or `Key=value`, with quotes and comments removed."""
    keyword, _, rest = line.strip().replace("=", " ", 1).replace("\t", " ").partition(" ")
    try:
        words = shlex.split(rest, comments=True)
    except ValueError:
        words = []
    return [keyword.lower(), *words]


def _in_ssh_directory(path: str, home: str) -> str:
    """The path as ssh_config(5) specifies: `~` is the home directory, and relative paths are below ~/.ssh."""
    if path == "~" or path.startswith("~/"):
        return home + path[1:]
    return os.path.join(home, ".ssh", path)
