"""What a folder says about its target: Vagrantfile, compose file, Dockerfile, devcontainer.json. Reads, asks nobody.

A light look at the text, for suggestions only: none of these files is run, and no YAML library earns its place by this.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rdo import jsonc, small_file

COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""In the order in which docker compose takes them."""

DEVCONTAINERS = (".devcontainer/devcontainer.json", ".devcontainer.json")

LARGEST = 1024 * 1024
"""Bytes that are read of a file."""

_MACHINE = re.compile(r"""^[^#\n]*\.vm\.define[ (]+[:"']([\w.-]+)""", re.MULTILINE)
_WORKDIR = re.compile(r"^[ \t]*WORKDIR[ \t]+(/[^\s$]*)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_SERVICE = re.compile(r"""^([ \t]+)["']?([\w.-]+)["']?[ \t]*:[ \t]*(?:[#&{].*)?$""")


@dataclass(frozen=True)
class Suggestion:
    """A target that the folder speaks of: `because` names the file, `values` are config keys.

    `choices` are the values that a key may have where the file names several. `first` is what to do before the first
    command.
    """

    driver: str
    because: str
    values: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first: str = ""


def look(folder: str) -> list[Suggestion]:
    """At most one suggestion for each driver, the most telling file of each."""
    docker = _devcontainer(folder) or _compose(folder) or _dockerfile(folder)
    return [suggestion for suggestion in (_vagrant(folder), docker) if suggestion]


def services(text: str) -> list[str]:
    """The services of a compose file: the keys one level below `services:`."""
    lines = iter(text.splitlines())
    if not any(re.match(r"services[ \t]*:", line) for line in lines):
        return []
    indent, found = "", []
    for line in lines:
        if line.strip() and not line[0].isspace() and not line.startswith("#"):
            break
        match = _SERVICE.match(line)
        if match and (not indent or match[1] == indent):
            indent = match[1]
            found.append(match[2])
    return found


def machines(text: str) -> list[str]:
    """The machines that a Vagrantfile defines by name."""
    return list(dict.fromkeys(_MACHINE.findall(text)))


def _vagrant(folder: str) -> Suggestion | None:
    text = read(folder, "Vagrantfile")
    if text is None:
        return None
    names = machines(text)
    choices = {"machine": names} if len(names) > 1 else {}
    return Suggestion("vagrant", "Vagrantfile", choices=choices, first="vagrant up")


def _compose(folder: str) -> Suggestion | None:
    for name in COMPOSE_FILES:
        text = read(folder, name)
        if text is not None:
            return Suggestion("docker", name, choices={"service": services(text)}, first="docker compose up -d")
    return None


def _dockerfile(folder: str) -> Suggestion | None:
    text = read(folder, "Dockerfile")
    if text is None:
        return None
    folders = _WORKDIR.findall(text)
    values = {"directory": folders[-1]} if folders else {}
    return Suggestion("docker", "Dockerfile", values, {"image": []}, first="docker build -t IMAGE .")


def _devcontainer(folder: str) -> Suggestion | None:
    for name in DEVCONTAINERS:
        text = read(folder, name)
        if text is not None:
            return _from_devcontainer(folder, name, text)
    return None


def _from_devcontainer(folder: str, name: str, text: str) -> Suggestion | None:
    """What it says of a service or an image; nothing for one that is built, for then the Dockerfile tells more."""
    try:
        data = jsonc.loads(text)
    except ValueError:
        return None
    key = "service" if isinstance(data, dict) and "dockerComposeFile" in data else "image"
    if not isinstance(data, dict) or not isinstance(data.get(key), str):
        return None
    place = str(data.get("workspaceFolder", "")).replace("${localWorkspaceFolderBasename}", os.path.basename(folder))
    known = {key: data[key], "directory": place, "user": data.get("remoteUser") or data.get("containerUser")}
    values = {key: value for key, value in known.items() if isinstance(value, str) and value and "${" not in value}
    return Suggestion("docker", name, values, first="docker compose up -d" if key == "service" else "")


def read(folder: str, name: str) -> str | None:
    """The file's text; None where there is no plain file of that name."""
    path = os.path.join(folder, name)
    try:
        return small_file.head(path, LARGEST).decode("utf-8", "replace")
    except OSError:
        return None
