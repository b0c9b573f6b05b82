"""`rdoctl init`: writes a .rdo.conf for the working directory, from what the folder says and what the user answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from rdo import config, discovery, trust
from rdo.cli import allow, survey, template
from rdo.cli.survey import Suggestion
from rdo.discovery import CONFIG
from rdo.errors import ConfigError, RdoError, SetupError, printable
from rdo.kinds import Refused
from rdo.settings import CONTAINERS, DRIVERS, KEYS
from rdo.wording import listed

ANSWERS = ("driver", "host", "user", "port", "identity", "directory", "container", "service", "image", "machine")
"""Keys that are options here, in the order in which they are written."""

IMAGE_FOLDER = "/src"
"""Where the folder is put in a container of rdo's own, unless something names a better place."""

NOTHING_FOUND = "there is no Vagrantfile, compose file or Dockerfile here"

Callback = TypeVar("Callback", bound=Callable[..., None])


def answers(callback: Callback) -> Callback:
    """Make each of ANSWERS an option, with the help that its key has."""
    for name in reversed(ANSWERS):
        kind: Any = click.Choice(DRIVERS) if name == "driver" else int if name == "port" else str
        callback = click.option(f"--{name}", type=kind, help=f"{KEYS[name].help[0].upper()}{KEYS[name].help[1:]}.")(
            callback
        )
    return callback


@click.command("init")
@answers
def command(**given: Any) -> None:
    """Write a .rdo.conf for this folder.

    Looks for a Vagrantfile, compose file, Dockerfile or devcontainer.json, and asks for what they do not tell. Every
    answer is an option too, so that no terminal is needed.
    """
    folder = os.getcwd()
    path = os.path.join(folder, CONFIG)
    if os.path.lexists(path):
        raise _exists()
    known = {name: checked(name, value) for name, value in given.items() if value is not None}
    suggestion = choose(known, survey.look(folder))
    values = fill_in(known, suggestion)
    write(path, template.render(values))
    click.echo(f"wrote {CONFIG}: " + printable(", ".join(f"{name} {value}" for name, value in values.items())))
    steps = [*allow_own(path), *next_steps(values, suggestion)]
    click.echo("\n".join(["next:", *(f"  {line}" for line in steps)]))


def checked(name: str, value: Any) -> Any:
    """An answer, if its key may have it. Raises RdoError."""
    try:
        KEYS[name].kind.check(value)
    except Refused as error:
        hint = error.hint or (f"write `{error.instead}`" if error.instead else "")
        raise RdoError(f"`--{name}` {error.why}", hint=hint) from None
    return value


def choose(known: Mapping[str, Any], found: Sequence[Suggestion]) -> Suggestion:
    """The target: as the options have it, else as the folder says, else a host. Raises RdoError."""
    driver = known.get("driver") or _implied(known)
    if not driver and len(found) > 1:
        because = " and ".join(f"{suggestion.because} ({suggestion.driver})" for suggestion in found)
        driver = ask("driver", f"there are {because}", [suggestion.driver for suggestion in found])
    for suggestion in found:
        if driver in ("", suggestion.driver) and _fits(suggestion, known):
            return suggestion
    return Suggestion(driver or "ssh", "")


def _fits(suggestion: Suggestion, known: Mapping[str, Any]) -> bool:
    """Whether it speaks of what the options say to run in, if they do."""
    named = [name for name in CONTAINERS if name in known]
    return all(name in suggestion.values or name in suggestion.choices for name in named)


def _implied(known: Mapping[str, Any]) -> str:
    """The driver that a key belongs to which only one takes."""
    drivers = {KEYS[name].drivers[0] for name in known if len(KEYS[name].drivers) == 1}
    if len(drivers) > 1:
        raise RdoError(f"{listed([f'--{name}' for name in known])} belong to several drivers", "", "name one of them")
    return drivers.pop() if drivers else ""


def fill_in(known: Mapping[str, Any], suggestion: Suggestion) -> dict[str, Any]:
    """All values, in the order in which they are written; asks for those that are missing. Raises RdoError."""
    driver = suggestion.driver
    for name in known:
        if KEYS[name].drivers and driver not in KEYS[name].drivers:
            raise RdoError(f"`--{name}` is not for driver `{driver}`", f"only for {listed(KEYS[name].drivers)}")
    named = [name for name in CONTAINERS if name in known]
    if len(named) > 1:
        raise RdoError(f"{listed([f'--{name}' for name in named])} exclude each other")
    values = {**suggestion.values, **known, "driver": driver}
    for name in _wanted(driver, named, suggestion):
        if name not in values:
            values[name] = _missing(name, suggestion)
    if "image" in values:
        values.setdefault("directory", IMAGE_FOLDER)
    return {name: values[name] for name in ANSWERS if name in values}


def _wanted(driver: str, named: Sequence[str], suggestion: Suggestion) -> Sequence[str]:
    """The keys that this driver cannot do without."""
    if driver == "ssh":
        return ("host", "directory")
    if driver == "docker":
        suggested = [name for name in CONTAINERS if name in suggestion.values or name in suggestion.choices]
        return named or suggested or ["container"]
    return list(suggestion.choices)


def _missing(name: str, suggestion: Suggestion) -> Any:
    choices = suggestion.choices.get(name, ())
    if len(choices) == 1:
        return choices[0]
    needed = f"driver `{suggestion.driver}` needs it" if suggestion.because else NOTHING_FOUND
    because = f"{suggestion.because} names {listed(choices)}" if choices else needed
    return ask(name, because, choices)


def ask(name: str, because: str, choices: Sequence[str] = ()) -> Any:
    """The answer typed on the terminal. Raises RdoError that names the option where there is none."""
    if not sys.stdin.isatty():
        raise RdoError(f"`--{name}` is missing", f"{because}, and there is no terminal to ask on", f"give `--{name}`")
    if choices:
        click.echo(printable(because), err=True)
    kind = click.Choice(choices) if choices else None
    while True:
        answer = click.prompt(f"{KEYS[name].help} (such as {KEYS[name].example.strip(chr(34))})", type=kind, err=True)
        try:
            return checked(name, answer)
        except RdoError as error:
            click.echo(str(error), err=True)


def write(path: str, text: str) -> None:
    """Make the file, and see that it loads. Raises RdoError, and then there is no file."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except FileExistsError:
        raise _exists() from None
    except OSError as error:
        raise RdoError(f"cannot write `{path}`", str(error.strerror)) from None
    try:
        with open(fd, "w", encoding="utf-8") as file:
            file.write(text)
        config.load(path, None, None)
    except (ConfigError, OSError):
        os.unlink(path)
        raise


def _exists() -> RdoError:
    return RdoError(f"there is a `{CONFIG}` here already", "", "edit it, or move it away first")


def allow_own(path: str) -> list[str]:
    """Allow what was just written; what to type where it cannot be, or where files that were there before join in."""
    loaded = config.load(path, None, discovery.user_file(os.environ))
    wish = allow.wanted(loaded)
    if os.path.join(loaded.root, discovery.LOCAL_CONFIG) in loaded.files:
        return [wish.command]
    try:
        trust.Store(os.environ).add(wish)
    except SetupError as error:
        click.echo(f"rdoctl: {error}", err=True)
        return [wish.command]
    return []


def next_steps(values: Mapping[str, Any], suggestion: Suggestion) -> list[str]:
    """What to type now."""
    first = suggestion.first.replace("IMAGE", values.get("image", "")) if suggestion.because else ""
    return [*([first] if first else []), "rdoctl doctor", "rdo pwd"]
