"""Converts a devcontainer.json to rdo's keys, and lists what has no key, with what to do about it. Pure.

The format: https://containers.dev/implementors/json_reference/.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from rdo.cli.ide.draft import Read
from rdo.cli.init import compose_file, devcontainer_hooks, devcontainer_ports
from rdo.cli.init.template import LeftOut, Suggestion
from rdo.config.schema import KEYS
from rdo.config.types import InvalidValue
from rdo.drivers.docker.answer import written
from rdo.drivers.docker.devcontainer import VARIABLE, identity, known_variables
from rdo.util import jsonc

EDITORS = ("$schema", "name", "customizations", "settings", "extensions", "devPort")
"""Properties that are irrelevant to commands."""

ADVICE = {
    "features": "to use them, run `devcontainer up --workspace-folder .` first, then `rdoctl init`",
    "initializeCommand": "it runs on this machine; run it yourself",
    "postAttachCommand": "it is for an editor",
    "runArgs": "start the container yourself, and name it with `container`",
    "mounts": "start the container yourself, and name it with `container`",
}

VALUE_LIMIT = 60
"""The most characters of a value that a remark shows."""

_OWN_NAME = re.compile(r"\$\{(?:localEnv|env):(\w+)(?::([^}]*))?\}")
_PATH = re.compile(r"\$\{containerEnv:PATH\}")

_SECRET = re.compile(r"TOKEN|SECRET|PASS|KEY|CRED|AUTH|(^|_)(PAT|PWD)($|_)", re.IGNORECASE)
"""Names of variables whose values must not be written to a file that others may see."""

_WRITTEN = re.compile(r"[\w.,:/+ -]{0,64}")
"""Matches values that may be written, because they cannot contain a password, as in a URL."""


@dataclass
class _Reader:
    """Converts a file to a suggestion: what is used goes into `values`, the rest into `left_out`."""

    root: str
    place: str
    """The directory of the devcontainer.json, relative to the root."""
    name: str
    data: Mapping[str, Any]
    read: Read
    environment: Mapping[str, str]
    """The environment of this machine."""
    values: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, Sequence[str]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    first: str = ""
    once: list[str] = field(default_factory=list)
    published: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def take(self, name: str) -> Any:
        """Take a value of the file, which then no longer counts as left out."""
        self.taken.add(name)
        return self.data.get(name)

    def substitute(self, text: str) -> str:
        """The text, with the variables replaced whose values are known here."""
        return VARIABLE.sub(self._value, text)

    def expand(self, value: Any) -> str | None:
        """Like `substitute`, but also for a number; None if the value has an unknown variable, or another type."""
        found = self.substitute(value) if isinstance(value, str) else written(value)
        return None if found is None or "${" in found else found

    def _value(self, match: re.Match[str]) -> str:
        kind, name, default = match.groups()
        if kind in ("localEnv", "env") and name:
            value = self.environment.get(name, default or "")
            may_be_written = not _SECRET.search(name) and _WRITTEN.fullmatch(value)
            return value if name not in self.environment or may_be_written else match[0]
        own = identity(self.root, os.path.join(self.root, self.place, self.name))
        return known_variables(self.root, self.values.get("directory", ""), own).get(kind) or match[0]

    def put(self, key: str, value: Any, name: str, given: Any = None) -> None:
        """Put the value into the config if it is valid for the key; otherwise what was `given` for it is left out."""
        text = self.expand(value) if isinstance(value, str) else value
        try:
            if value is not None:
                KEYS[key].value_type.check(text)
                self.values[key] = text
        except InvalidValue as refusal:
            why = _unknown(value) if text is None else refusal.why
            self.left_out.append(LeftOut(f"{name} = {_short(given or value)}", why))

    def below(self, path: str) -> str:
        """Convert a path in the file, which is relative to the file, to one relative to the root."""
        found = os.path.join(self.root, self.place, self.substitute(path))
        return os.path.relpath(found, self.root)


def suggestion(root: str, path: str, text: str, read: Read, environment: Mapping[str, str]) -> Suggestion:
    """The suggestion of the devcontainer.json at `path` below `root`. Raises ValueError if it describes no target.

    `environment` is that of this machine, to which `${localEnv:NAME}` refers.
    """
    data = jsonc.loads(text)
    if not isinstance(data, dict):
        raise ValueError("it is not an object")
    reader = _Reader(root, *os.path.split(path), data, read, environment)
    _target(reader)
    reader.put("user", reader.take("remoteUser") or data.get("containerUser"), "remoteUser")
    reader.take("containerUser")
    _environment(reader)
    found = devcontainer_ports.read(data, reader.substitute)
    for key, value in found.values.items():
        reader.put(key, value, "forwardPorts")
    reader.left_out += found.left_out
    for name in devcontainer_hooks.NAMES:
        if command := reader.take(name):
            lines = devcontainer_hooks.lines(command, reader.substitute)
            advice = f"run it once, {' and '.join(f'`{line}`' for line in lines)}, or have the Dockerfile do it"
            reader.left_out.append(LeftOut(name, advice if lines else ""))
            reader.once += lines
    known = {*reader.taken, *EDITORS, *devcontainer_ports.NAMES}
    return Suggestion(
        *("docker", path, reader.values, reader.choices, reader.first, reader.once),
        left_out=[*reader.left_out, *(LeftOut(name, ADVICE.get(name, "")) for name in data if name not in known)],
        remarks=found.remarks,
        published=reader.published,
    )


def _target(reader: _Reader) -> None:
    """Read the compose file, Dockerfile or image, and where the project is in the container. Raises ValueError."""
    place = reader.take("workspaceFolder")
    build = reader.data.get("build")
    if "dockerComposeFile" in reader.data:
        reader.put("directory", place, "workspaceFolder")
        _compose(reader)
        return
    default = "/workspaces/${localWorkspaceFolderBasename}"
    if place is not None and not (isinstance(place, str) and reader.substitute(place).startswith("/")):
        reader.left_out.append(LeftOut(f"workspaceFolder = {_short(place)}", "it is not an absolute path"))
        place = None
    place = place or default
    reader.put("directory", _mounted_at(reader, place) or place, "workspaceFolder")
    if isinstance(build, dict) or isinstance(reader.data.get("dockerFile"), str):
        _build(reader, build if isinstance(build, dict) else {})
    elif isinstance(reader.data.get("image"), str):
        reader.put("image", reader.take("image"), "image")
    if not {"build", "image"} & set(reader.values):
        raise ValueError("it names no image, Dockerfile or compose file that can be used")


def _mounted_at(reader: _Reader, place: str) -> str:
    """Where the whole project is mounted, by workspaceMount, if `place` is below it."""
    mount = reader.data.get("workspaceMount")
    words = reader.substitute(mount).split(",") if isinstance(mount, str) else []
    pairs = {name.strip(): value.strip() for name, _, value in (word.partition("=") for word in words)}
    target = pairs.get("target", "").rstrip("/")
    if pairs.get("source") != reader.root or not target or not f"{reader.substitute(place)}/".startswith(f"{target}/"):
        return ""
    reader.taken.add("workspaceMount")
    return target


def _compose(reader: _Reader) -> None:
    given = reader.take("dockerComposeFile")
    files = [reader.below(str(each)) for each in (given if isinstance(given, list) else [given])]
    service = reader.take("service")
    if isinstance(service, str):
        reader.put("service", service, "service")
    else:
        reader.choices["service"] = compose_file.services(files, reader.read)
    with suppress(ValueError):  # the service is named, and docker compose will report what is wrong
        reader.published = compose_file.published(files, reader.read)
    run = reader.take("runServices")
    services = [str(each) for each in run] if isinstance(run, list) else []
    if services and isinstance(service, str) and service not in services:
        services.append(service)  # `devcontainer up` starts it in any case
    default = [os.path.normpath(each) for each in compose_file.found(reader.read, {})]
    options = [] if files == default else [word for file in files for word in ("-f", file)]
    reader.first = shlex.join(["docker", "compose", *options, "up", "-d", *services])


def _build(reader: _Reader, build: Mapping[str, Any]) -> None:
    """Read `build`, or the older `dockerFile` and `context`. Here, `dockerfile` is relative to the context."""
    reader.taken |= {"build", "dockerFile", "context"}
    dockerfile = reader.below(str(build.get("dockerfile") or reader.data.get("dockerFile") or "Dockerfile"))
    context = reader.below(str(build.get("context") or reader.data.get("context") or "."))
    relative = os.path.relpath(dockerfile, context)
    reader.put("build", context, "build.context")
    if relative != "Dockerfile":
        reader.put("dockerfile", relative, "build.dockerfile")
    arguments = build.get("args")
    if isinstance(arguments, dict) and arguments:
        values = {name: text for name, value in arguments.items() if (text := reader.expand(value)) is not None}
        reader.put("build_args", values, "build.args")
        others = [name for name in arguments if name not in values]
        reader.left_out += [LeftOut(f"build.args.{name}", _unknown(arguments[name])) for name in others]
    reader.put("build_target", build.get("target"), "build.target")
    known = ("dockerfile", "context", "args", "target")
    reader.left_out += [LeftOut(f"build.{name}") for name in build if name not in known]


def _environment(reader: _Reader) -> None:
    """Read containerEnv, and remoteEnv, which takes precedence, as `env`, `pass_env` and `path`."""
    given: dict[str, Any] = {}
    for table in ("containerEnv", "remoteEnv"):
        values = reader.take(table)
        given |= {name: (table, value) for name, value in values.items()} if isinstance(values, dict) else {}
    passed: list[str] = []
    for name, (table, value) in given.items():
        own = _OWN_NAME.fullmatch(value) if isinstance(value, str) else None
        if name == "PATH" and isinstance(value, str) and _PATH.search(value):
            directories = [each for each in reader.substitute(_PATH.sub("", value)).split(":") if each]
            reader.put("path", directories, f"{table}.PATH")
        elif own and own[1] == name and (name in reader.environment or not own[2]):
            passed.append(name)
        elif (text := reader.expand(value)) is not None:
            reader.put("env", {**reader.values.get("env", {}), name: text}, f"{table}.{name}", value)
        else:
            reader.left_out.append(LeftOut(f"{table}.{name} = {_short(value)}", _unknown(value)))
    reader.put("pass_env", passed or None, "remoteEnv")


def _unknown(value: Any) -> str:
    """Why a value cannot be in the config: because of the first variable in it that is unknown here."""
    if not isinstance(value, str):
        return ""
    for kind, name, _ in VARIABLE.findall(value):
        if kind == "containerEnv":
            return f"`{name}` is known in the container only; have the Dockerfile set it"
        if kind in ("localEnv", "env") and name:
            return f"`{name}` of this machine may be a secret; `-e`, or `env` in .rdo.local.conf, sets it"
    return ""


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_LIMIT else text[:VALUE_LIMIT] + "..."
