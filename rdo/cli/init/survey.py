"""Finds out about a directory's target from its Vagrantfile, compose file, Dockerfile and devcontainer.json.

Files are only read, and never run, so what a file computes remains unknown. The user is not asked anything.
"""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple

from rdo.cli.init import vagrantfile
from rdo.cli.init.template import LeftOut, Suggestion
from rdo.drivers.vagrant import project
from rdo.errors import RdoError
from rdo.util import foreign_file

DEVCONTAINERS = (".devcontainer/devcontainer.json", ".devcontainer.json")
"""Where a single devcontainer.json is; if there are several, each is in a directory of its own in `.devcontainer`."""

DOCKERFILES = ("Dockerfile", "Containerfile")
DEVELOPMENT = ("Dockerfile.dev", "Dockerfile.development", "dev.Dockerfile")
DIRECTORIES = ("", ".devcontainer", "docker", ".docker")
"""Where to look for a Dockerfile, most likely first. The build context is always the project's directory."""

ENTRY_LIMIT = 500
"""The most entries of a directory that are examined."""

DEVCONTAINER_LIMIT = 16
"""The most devcontainer.json files that are offered: nobody would choose from more, and each takes time to read."""

SIZE_LIMIT = 256 * 1024
"""The most bytes that are read from a file. A YAML library takes seconds for more."""

_DOCKERFILE = re.compile(r"(Dockerfile|Containerfile)\.[\w.-]+|[\w.-]+\.([Dd]ockerfile|Containerfile)")

_WORKDIR = re.compile(r"^[ \t]*WORKDIR[ \t]+(/[^\s$]*)[ \t]*$", re.MULTILINE | re.IGNORECASE)


class Survey(NamedTuple):
    """What was found: targets to choose from, and files that could not be used, each with the reason."""

    suggestions: Sequence[Suggestion]
    unusable: Sequence[LeftOut] = ()


def look(directory: str, environment: Mapping[str, str], everything: bool = False) -> Survey:
    """At most one suggestion for each driver, from its most specific file, or one for each of several dev containers.

    With `everything`, one for each file.
    """
    unusable: list[LeftOut] = []
    docker: list[Suggestion] = []
    for ask in (partial(_devcontainers, environment), partial(_compose, environment), _dockerfile):
        if everything or not docker:
            docker += ask(directory, unusable)
    return Survey([*_vagrant(directory, environment), *docker], unusable)


def _vagrant(directory: str, environment: Mapping[str, str]) -> Iterator[Suggestion]:
    texts = ((name, read(directory, name)) for name in project.NAMES)
    name, text = next(((name, text) for name, text in texts if text is not None), ("", ""))
    if not name:
        return
    names, computed = vagrantfile.machines(text, directory, environment)
    values = {"machine": names[0]} if len(names) == 1 and computed else {}
    choices = {"machine": names} if len(names) > 1 else {}
    advice = "set `machine` to one of those that `vagrant status` lists"
    left_out = [LeftOut("machine names that are computed", advice)] if computed and not values else []
    yield Suggestion("vagrant", name, values, choices, first="vagrant up", left_out=left_out)


def _compose(environment: Mapping[str, str], directory: str, unusable: list[LeftOut]) -> Iterator[Suggestion]:
    from rdo.cli.init import compose_file  # loads a YAML library, which takes long

    files = compose_file.found(partial(read, directory), environment)
    if not files:
        return
    try:
        names = compose_file.services(files, partial(read_utf8, directory))
        published = compose_file.published(files, partial(read_utf8, directory))
    except ValueError as error:
        unusable.append(LeftOut(files[0], str(error)))
        return
    if not names:
        unusable.append(LeftOut(files[0], "it names no service"))
        return
    suggestion = Suggestion("docker", files[0], choices={"service": names}, first="docker compose up -d")
    yield replace(suggestion, published=published) if published and _is_engine_elsewhere(environment) else suggestion


def _is_engine_elsewhere(environment: Mapping[str, str]) -> bool:
    """Whether containers publish their ports on another machine."""
    from rdo.drivers.docker.endpoint import resolve  # loaded on demand: most files publish no port

    try:
        return resolve(environment).is_remote
    except RdoError:
        return False


def _dockerfile(directory: str, _: list[LeftOut]) -> Iterator[Suggestion]:
    names = (os.path.join(place, name) for place in DIRECTORIES for name in (*DOCKERFILES, *DEVELOPMENT))
    for name in [*names, *_other_dockerfiles(directory)]:
        text = read(directory, name)
        if text is None:
            continue
        places = _WORKDIR.findall(text)
        values = {"build": ".", **({"directory": places[-1]} if places else {})}
        yield Suggestion("docker", name, values | ({} if name == DOCKERFILES[0] else {"dockerfile": name}))
        return


def _other_dockerfiles(directory: str) -> list[str]:
    """The only Dockerfile with another name, such as `Dockerfile.ci`. If there are several, none is the obvious one."""
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in islice(entries, ENTRY_LIMIT)]
    except OSError:
        return []
    found = [name for name in names if _DOCKERFILE.fullmatch(name) and not name.endswith(".dockerignore")]
    return found if len(found) == 1 else []


def _devcontainers(environment: Mapping[str, str], directory: str, unusable: list[LeftOut]) -> Iterator[Suggestion]:
    from rdo.cli.init import devcontainer, devcontainer_ports  # loaded on demand: it reads compose files

    files = _devcontainer_files(directory)
    if files and _has_dev_container(directory, environment):
        text = read(directory, files[0]) if len(files) == 1 else None
        ports = devcontainer_ports.of_file(text or "")
        yield Suggestion(
            *("docker", files[0], ports.values), is_whole=True, left_out=ports.left_out, remarks=ports.remarks
        )
        return
    for name in files:
        try:
            text = read_utf8(directory, name) or ""
            found = devcontainer.suggestion(directory, name, text, partial(read_utf8, directory), environment)
            elsewhere = found.published and _is_engine_elsewhere(environment)
            yield found if elsewhere else replace(found, published={})
        except ValueError as error:
            unusable.append(LeftOut(name, str(error)))


def _has_dev_container(directory: str, environment: Mapping[str, str]) -> bool:
    """Whether VS Code or the devcontainer CLI has created a container for the directory, running or not.

    False if no engine answers.
    """
    from rdo.drivers.docker.devcontainer import LOCAL_FOLDER  # loaded on demand: few projects have one
    from rdo.drivers.docker.endpoint import resolve
    from rdo.drivers.docker.engine import Engine, EngineError

    try:
        engine = Engine(resolve(environment), environment)
        try:
            for path in dict.fromkeys([directory, os.path.realpath(directory)]):
                filters = json.dumps({"label": [f"{LOCAL_FOLDER}={path}"]})
                if engine.ask("GET", "/containers/json", query={"all": 1, "filters": filters}).tables():
                    return True
            return False
        finally:
            engine.close()
    except (RdoError, EngineError):
        return False


def _devcontainer_files(directory: str) -> list[str]:
    usual = [name for name in DEVCONTAINERS if read(directory, name) is not None][:1]
    if usual:
        return usual
    above, name = os.path.split(DEVCONTAINERS[0])
    try:
        with os.scandir(os.path.join(directory, above)) as entries:
            each = sorted(entry.name for entry in islice(entries, ENTRY_LIMIT))
    except OSError:
        return []
    found = (path for path in (os.path.join(above, one, name) for one in each) if read(directory, path) is not None)
    return list(islice(found, DEVCONTAINER_LIMIT))


def read(directory: str, name: str) -> str | None:
    """The file's text, with bytes that are not UTF-8 replaced; None if there is no regular file of that name."""
    data = _head(directory, name)
    return None if data is None else data.decode("utf-8", "replace")


def read_utf8(directory: str, name: str) -> str | None:
    """Like `read`, for a file whose values are copied. Raises ValueError if it is not UTF-8."""
    data = _head(directory, name)
    if data is None:
        return None
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(data)  # a cut file may end within a character
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        why = f"byte 0x{data[error.start]:02x} in line {line}"
        raise ValueError(f"`{name}` is not UTF-8: {why}; save it as UTF-8") from None
    if "\0" in text:  # UTF-16 without a byte order mark
        raise ValueError(f"`{name}` is not UTF-8: it contains NUL; save it as UTF-8")
    return text


def _head(directory: str, name: str) -> bytes | None:
    try:
        return foreign_file.head(os.path.join(directory, name), SIZE_LIMIT)
    except OSError:
        return None
