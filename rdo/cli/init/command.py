"""`rdoctl init`: writes a .rdo.conf for the working directory, from its files and the user's answers."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from rdo import project
from rdo.cli import allow
from rdo.cli.init import questions, survey, template
from rdo.cli.init.survey import DOCKERFILES, Survey
from rdo.cli.init.template import Suggestion
from rdo.config import load
from rdo.config.schema import CONTAINERS, DRIVERS, KEYS
from rdo.errors import ConfigError, RdoError, SetupError, printable, reason
from rdo.project import CONFIG
from rdo.trust import store
from rdo.util.phrases import listed

ANSWERS = (
    *("driver", "host", "user", "port", "identity", "directory"),
    *("container", "service", "image", "build", "dockerfile", "machine"),
)
"""Keys that are options of this command, in the order in which they are written."""

FOUND = ("build_args", "build_target", "env", "pass_env", "path", "forward", "auto_forward")
"""Keys that only a file can set, which are written after those."""

IMAGE_DIRECTORY = "/src"
"""Where the project is in a container that rdo creates, unless something names a better place."""

Callback = TypeVar("Callback", bound=Callable[..., None])


def answers(callback: Callback) -> Callback:
    """Add each of ANSWERS as an option, with the help of its key."""
    for name in reversed(ANSWERS):
        kind: Any = click.Choice(DRIVERS) if name == "driver" else int if name == "port" else str
        help = f"{KEYS[name].help[0].upper()}{KEYS[name].help[1:]}."
        complete = _complete_host if name == "host" else None
        callback = click.option(f"--{name}", type=kind, help=help, shell_complete=complete)(callback)
    return callback


def _complete_host(_context: click.Context, _parameter: click.Parameter, start: str) -> list[str]:
    return [host for host in questions.ssh_hosts(os.environ) if host.startswith(start)]


@click.command("init")
@answers
@click.option("--from", "source", metavar="FILE", default="", help="Use the settings in this file of the directory.")
def command(source: str, **given: Any) -> None:
    """Write a .rdo.conf for this directory.

    It looks for a devcontainer.json, Vagrantfile, compose file or Dockerfile, and asks for what they do not say. Every
    answer can be given as an option too, so that no terminal is needed. Settings in these files that rdo has no key
    for are listed, and written to the .rdo.conf as comments.
    """
    directory = project.working_directory()
    path = os.path.join(directory, CONFIG)
    if os.path.lexists(path):
        raise _exists()
    known = {name: questions.checked(name, value) for name, value in given.items() if value is not None}
    if "dockerfile" in known:
        known.setdefault("build", ".")
    found = survey.look(directory, os.environ, everything=bool(source))
    for name, why in found.unusable:
        click.echo(printable(f"rdoctl: `{name}` cannot be used: {why}"), err=True)
    suggestion = choose(known, found, source)
    values = fill_in(known, suggestion)
    write(path, template.render(values, suggestion.because, suggestion.left_out, suggestion.remarks))
    click.echo(f"wrote {CONFIG}: {printable(', '.join(f'{name} {_brief(each)}' for name, each in values.items()))}")
    if suggestion.left_out:
        names = ", ".join(left.name for left in suggestion.left_out)
        click.echo(printable(f"not taken from {suggestion.because}, see the comments in {CONFIG}: {names}"))
    steps = [*allow_own(path), *next_steps(values, suggestion)]
    click.echo("\n".join(["next:", *(f"  {printable(line)}" for line in steps)]))


def _brief(value: Any) -> str:
    """A short form of a value: for a table, its names."""
    return " ".join(value) if isinstance(value, Mapping | list | tuple) else str(value)


def choose(known: Mapping[str, Any], found: Survey, source: str = "") -> Suggestion:
    """The target: from the options, else from the directory, else from the user's answers. Raises RdoError."""
    driver = known.get("driver") or _implied(known)
    fitting = [each for each in found.suggestions if driver in ("", each.driver) and _fits(each, known)]
    if source:
        fitting = [each for each in found.suggestions if each.because == os.path.normpath(source)]
        if not fitting:
            files = listed([each.because for each in found.suggestions]) or "none"
            raise RdoError(f"`{source}` does not say where commands run", "", f"files that do are {files}")
    drivers = list(dict.fromkeys(each.driver for each in fitting))
    if len(drivers) > 1:
        because = " and ".join(f"{each.because} ({each.driver})" for each in fitting)
        driver = questions.one_of("driver", f"there are {because}", drivers)
        fitting = [each for each in fitting if each.driver == driver]
    if len(fitting) > 1:
        each_file = [each.because for each in fitting]
        answer = questions.one_of("from", f"there are {listed(each_file)}", each_file)
        fitting = [each for each in fitting if each.because == answer]
    nothing = questions.NOTHING_ELSE if found.unusable else questions.NOTHING_FOUND
    return fitting[0] if fitting else Suggestion(driver or questions.driver(nothing), "")


def _fits(suggestion: Suggestion, known: Mapping[str, Any]) -> bool:
    """Whether the suggestion fits what the options say to run in, if they do. A Dockerfile fits its own image."""
    named = [name for name in CONTAINERS if name in known]
    if suggestion.is_whole and not named:
        return True
    speaks = {*suggestion.values, *suggestion.choices, *(["image"] if suggestion.because in DOCKERFILES else [])}
    return speaks.issuperset(named)


def _implied(known: Mapping[str, Any]) -> str:
    """The driver of a key that only one driver supports."""
    drivers = {KEYS[name].drivers[0] for name in known if len(KEYS[name].drivers) == 1}
    if len(drivers) > 1:
        raise RdoError(
            f"{listed([f'--{name}' for name in known])} belong to several drivers", "", "leave one of them out"
        )
    return drivers.pop() if drivers else ""


def fill_in(known: Mapping[str, Any], suggestion: Suggestion) -> dict[str, Any]:
    """Return all values in the order in which they are written, after asking for missing ones. Raises RdoError."""
    driver = suggestion.driver
    for name in known:
        if KEYS[name].drivers and driver not in KEYS[name].drivers:
            why = f"only for {listed(KEYS[name].drivers)}"
            raise RdoError(f"`--{name}` is not for driver `{driver}`", why, "leave it out, or change `--driver`")
    named = [name for name in CONTAINERS if name in known]
    if len(named) > 1:
        raise RdoError(f"{listed([f'--{name}' for name in named])} cannot be used together", "", "use one of them")
    found = {name: value for name, value in suggestion.values.items() if name not in CONTAINERS or not named}
    values = {**found, **known, "driver": driver}
    for name in _required(driver, named, suggestion):
        if name not in values:
            values[name] = _missing(name, suggestion)
    if "image" in values or "build" in values:
        values.setdefault("directory", IMAGE_DIRECTORY)
    if ports := suggestion.published.get(values.get("service", ""), ()):
        values["forward"] = list(dict.fromkeys([*values.get("forward", ()), *ports]))
    of_no_use = () if "build" in values else [name for name in template.BUILDS if name not in known]
    return {name: values[name] for name in (*ANSWERS, *FOUND) if name in values and name not in of_no_use}


def _required(driver: str, named: Sequence[str], suggestion: Suggestion) -> Sequence[str]:
    """The keys that this driver requires."""
    if driver == "ssh":
        return ("host", "directory")
    if driver == "docker":
        if suggestion.is_whole and not named:
            return ()
        suggested = [name for name in CONTAINERS if name in suggestion.values or name in suggestion.choices]
        return named or suggested or ["container"]
    return list(suggestion.choices)


def _missing(name: str, suggestion: Suggestion) -> Any:
    choices = suggestion.choices.get(name, ())
    if len(choices) == 1:
        return choices[0]
    if choices:
        return questions.one_of(name, f"{suggestion.because} names {questions.offered(choices)}", choices)
    return questions.value(name, f"driver `{suggestion.driver}` needs it")


def write(path: str, text: str) -> None:
    """Write the file, and check that it can be loaded. Raises RdoError, without leaving a file."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except FileExistsError:
        raise _exists() from None
    except OSError as error:
        raise RdoError(f"cannot write `{path}`", reason(error)) from None
    try:
        with open(fd, "w", encoding="utf-8") as file:
            file.write(text)
        load.load(path, None, None)
    except (ConfigError, OSError):
        os.unlink(path)
        raise


def _exists() -> RdoError:
    return RdoError(f"there is a `{CONFIG}` here already", "", "edit it, or move it out of the way first")


def allow_own(path: str) -> list[str]:
    """Allow what was just written; returns what to type if that is not possible, or if existing files apply, too."""
    loaded = load.load(path, None, project.user_file(os.environ))
    try:
        request = allow.trust_request(loaded)
    except RdoError as error:  # a file that the config names does not exist yet
        click.echo(f"rdoctl: {error}", err=True)
        return ["rdoctl allow"]
    # Users decide which of their variables are passed on, not a file of the project.
    takes_along = "pass_env" in dict(request.values)
    if takes_along or request.exposed or os.path.join(loaded.root, project.LOCAL_CONFIG) in loaded.files:
        return [request.command]
    try:
        store.Store(os.environ).add(request)
    except SetupError as error:
        click.echo(f"rdoctl: {error}", err=True)
        return [request.command]
    return []


def next_steps(values: Mapping[str, Any], suggestion: Suggestion) -> list[str]:
    """What to type next."""
    first = [suggestion.first] if suggestion.first else []
    if suggestion.because in DOCKERFILES and "image" in values:
        first = [shlex.join(["docker", "build", "-t", values["image"], "."])]
    return [*first, "rdoctl doctor", *suggestion.once, "rdo pwd"]
