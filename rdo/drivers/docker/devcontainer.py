"""Containers that VS Code or the devcontainer CLI started for a directory. They are found by their labels, which also
say as which user and with which variables commands run. Pure. Specified in
https://containers.dev/implementors/reference/.

A value from the image itself gets no variables of this machine, since they may be secrets.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from rdo.drivers.docker import answer
from rdo.drivers.docker.inspect import InspectedContainer, ListedContainer
from rdo.drivers.docker.mounts import contains, normalized
from rdo.drivers.root import Root
from rdo.errors import ConnectError

LOCAL_FOLDER = "devcontainer.local_folder"
METADATA = "devcontainer.metadata"
CONFIG_FILE = "devcontainer.config_file"

VARIABLE = re.compile(r"\$\{(\w+)(?::([^:}]*)(?::([^}]*))?)?\}")
"""`${localEnv:NAME:default}`, `${localWorkspaceFolder}` and the like."""

USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What the engine sets if an image has no PATH."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class DevContainerFacts(NamedTuple):
    """What is known about a dev container. `user` is empty for the container's own user."""

    user: str
    variables: Mapping[str, str]
    """As written, with unexpanded references."""
    image_variables: Mapping[str, str]
    """Those variables that come from the image."""
    container_env: Mapping[str, str]
    local_folder: str
    identity: str
    """`${devcontainerId}`."""


def identity(local_folder: str, config_file: str) -> str:
    """`${devcontainerId}`, computed from the labels that identify a container: their digest in base 32, 52 digits.

    Source: https://containers.dev/implementors/spec/#devcontainerid.
    """
    labels = {CONFIG_FILE: config_file, LOCAL_FOLDER: local_folder}
    text = json.dumps(labels, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest(), "big")
    return "".join("0123456789abcdefghijklmnopqrstuv"[number >> 5 * place & 31] for place in reversed(range(52)))


def known_variables(local_folder: str, workspace: str, identity: str) -> dict[str, str]:
    """The values of `${localWorkspaceFolder}` and the like; `workspace` is the directory in the container."""
    return {
        "localWorkspaceFolder": local_folder,
        "localWorkspaceFolderBasename": posixpath.basename(local_folder),
        "containerWorkspaceFolder": workspace,
        "containerWorkspaceFolderBasename": posixpath.basename(workspace),
        "devcontainerId": identity,
    }


def without_image_label(container: ListedContainer, image: Mapping[str, str]) -> ListedContainer:
    """The container without a label that comes only from its image."""
    labels = dict(container.labels)
    if image.get(LOCAL_FOLDER) == labels.get(LOCAL_FOLDER):
        labels.pop(LOCAL_FOLDER, None)
    return container._replace(labels=labels)


def candidates(
    listing: Iterable[ListedContainer], directory: str, resolve: Callable[[str], str]
) -> list[ListedContainer]:
    """The containers of the directory, a physical path, or else of the nearest parent directory that has some."""
    found: dict[str, list[ListedContainer]] = {}
    for each in listing:
        labelled = each.labels.get(LOCAL_FOLDER, "")
        for place in {normalized(labelled), resolve(labelled)} if labelled.startswith("/") else ():
            if contains(place, directory):
                found.setdefault(place, []).append(each)
                break
    return found[max(found, key=len)] if found else []


def facts(container: InspectedContainer, image: Mapping[str, str]) -> DevContainerFacts:
    """The facts in the container's labels; `image` are the labels that come from its image. Raises ConnectError."""
    try:
        return _facts(container, image)
    except ConnectError as error:
        what = f"cannot use the label `{METADATA}` of `{container.name}`"
        raise ConnectError(what, error.why, "re-create the container, or name it with `container`") from None


def _facts(container: InspectedContainer, image: Mapping[str, str]) -> DevContainerFacts:
    entries, brought = _entries(container.labels), _entries(image)
    users = [user for entry in entries for user in (entry.text("remoteUser", ""),) if user]
    users = users or [user for entry in entries for user in (entry.text("containerUser", ""),) if user]
    return DevContainerFacts(
        users[-1] if users else "",
        _variables(entries),
        _variables(brought),
        {"PATH": USUAL_PATH, **dict(pair.split("=", 1) for pair in container.env if "=" in pair)},
        container.labels.get(LOCAL_FOLDER, ""),
        identity(container.labels.get(LOCAL_FOLDER, ""), container.labels.get(CONFIG_FILE, "")),
    )


def _entries(labels: Mapping[str, str]) -> list[answer.EngineAnswer]:
    """The parts that a configuration was merged from: an object, or a list of objects."""
    if not (text := labels.get(METADATA, "")):
        return []
    found = answer.decode(text.encode(), METADATA)
    return found.tables() if found.is_list else [found.table()]


def _variables(entries: Sequence[answer.EngineAnswer]) -> dict[str, str]:
    """Merge variables: later parts override earlier ones, and null removes a variable."""
    found: dict[str, str] = {}
    for entry in entries:
        table = entry.maybe("remoteEnv")
        for name in table.names() if table else ():
            found.pop(name, None)
            if table and table.has(name) and NAME.fullmatch(name):
                found[name] = table.word(name)
    return found


def variables(facts: DevContainerFacts, local: Mapping[str, str], roots: Sequence[Root]) -> Mapping[str, str]:
    """The variables for a command of a caller whose environment is `local`, with references expanded."""
    return {
        name: _substituted(value, facts, {} if facts.image_variables.get(name) == value else local, roots)
        for name, value in facts.variables.items()
    }


def _substituted(text: str, facts: DevContainerFacts, local: Mapping[str, str], roots: Sequence[Root]) -> str:
    workspace = next((root.remote for root in roots if root.local == facts.local_folder), "")
    known = known_variables(facts.local_folder, workspace, facts.identity)
    environments = {"localEnv": local, "env": local, "containerEnv": facts.container_env}

    def value(match: re.Match[str]) -> str:
        kind, name, default = match[1], match[2], match[3]
        if kind in environments and name:
            return environments[kind].get(name, default or "")
        return known.get(kind, match[0])

    return VARIABLE.sub(value, text)
