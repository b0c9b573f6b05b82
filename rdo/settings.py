"""All keys of a config file, as one literal table: name, type, default, kind of value, drivers, help.

A new key is one more line in `Settings`, which says whether it is guarded. Pure: where values come from, and which of
them wins, is for layers.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from rdo import kinds
from rdo.kinds import Kind

DEFAULT_PROFILE: Final = "default"

DRIVERS: Final = ("ssh", "vagrant", "docker", "local")

CONTAINERS: Final = ("container", "service", "image", "build")
"""With driver docker, exactly one of these says what to run in."""

ENDS: Final = ("kill", "keep")

PULLS: Final = ("missing", "never", "always")


class Key(NamedTuple):
    """What is known of a key, whatever its value.

    `drivers` are those that take it; none means all. `example` is a value as TOML. A `personal` key may only stand in
    the user file, never in a file that a repository can bring along. A `guarded` one a repository may set, but what it
    sets must have been allowed by the user (trust.py): it says which target, as whom, and with what of the user's.
    """

    name: str
    kind: Kind
    help: str
    example: str
    drivers: tuple[str, ...]
    personal: bool
    guarded: bool


def _guarded(default: object, kind: Kind, help: str, example: str, *drivers: str, personal: bool = False) -> Any:
    about = {"kind": kind, "help": help, "example": example, "drivers": drivers, "personal": personal}
    return field(default_factory=lambda: default, metadata={**about, "guarded": True})


def _harmless(default: object, kind: Kind, help: str, example: str, *drivers: str) -> Any:
    about = {"kind": kind, "help": help, "example": example, "drivers": drivers, "personal": False}
    return field(default_factory=lambda: default, metadata={**about, "guarded": False})


_NO_NAMES: tuple[str, ...] = ()
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The values of one profile. Times are in seconds. Paths are as written: nobody has expanded `~` yet."""

    driver: str = _guarded(
        "", kinds.choice(*DRIVERS), "how the target is reached: ssh, vagrant, docker or local", '"ssh"'
    )
    directory: str | None = _guarded(None, kinds.FOLDER, "where this folder is on the target", '"/srv/myapp"')
    env: Mapping[str, str] = _harmless(
        _NO_VARIABLES, kinds.VARIABLES, "variables to set on the target", '{ STAGE = "dev" }'
    )
    pass_env: tuple[str, ...] = _guarded(
        _NO_NAMES, kinds.VARIABLE_GLOBS, "variables to take along: names and patterns", '["LANG", "LC_*"]'
    )
    path: tuple[str, ...] = _harmless(
        _NO_NAMES, kinds.FOLDERS, "folders to search first for commands, relative to directory", '["venv/bin"]'
    )
    login: bool = _harmless(
        False, kinds.FLAG, "start the target's login shell first, for nvm, pyenv and the like", "true"
    )
    use_sudo: bool = _guarded(False, kinds.FLAG, "run every command as root", "true")
    map_args: bool = _harmless(True, kinds.FLAG, "rewrite local paths in arguments", "false")
    map_output: bool = _harmless(False, kinds.FLAG, "rewrite the target's paths in output to local ones", "true")
    idle_timeout: float = _harmless(
        3600.0, kinds.DURATION, "close an unused connection after this time; 0: never", '"8h"'
    )
    on_disconnect: str = _harmless(
        "kill", kinds.choice(*ENDS), "what a lost connection does to a running command: kill or keep", '"keep"'
    )
    connect_timeout: float | None = _harmless(None, kinds.DURATION, "give up connecting after this time", '"30s"')
    local_fallback: bool = _guarded(
        False, kinds.FLAG, "shims run the local tool when the target cannot be reached", "true"
    )

    host: str | None = _guarded(None, kinds.HOST, "alias of ~/.ssh/config, or a name or address", '"devbox"', "ssh")
    user: str | None = _guarded(None, kinds.USER, "whom to run as", '"deploy"', "ssh", "docker")
    port: int | None = _guarded(None, kinds.PORT, "port of the SSH server", "2222", "ssh")
    identity: str | None = _guarded(None, kinds.TEXT, "file of the private key", '"~/.ssh/id_dev"', "ssh")
    jump: str | None = _guarded(None, kinds.JUMP, "hosts to pass through, as for ssh -J", '"gate.example.com"', "ssh")
    ssh_config: str | None = _guarded(
        None, kinds.TEXT, "stands in for ~/.ssh/config", '"~/.ssh/work_config"', "ssh", personal=True
    )

    machine: str | None = _guarded(None, kinds.NAME, "machine of a Vagrantfile that has several", '"web"', "vagrant")
    auto_up: bool = _guarded(False, kinds.FLAG, "run vagrant up when the machine is down", "true", "vagrant")

    container: str | None = _guarded(None, kinds.NAME, "container to run in", '"web-1"', "docker")
    service: str | None = _guarded(None, kinds.NAME, "compose service to run in", '"web"', "docker")
    image: str | None = _guarded(None, kinds.NAME, "image to run a container of", '"python:3.12"', "docker")
    build: str | None = _guarded(
        None, kinds.INSIDE, "directory whose Dockerfile makes the image to run a container of", '"."', "docker"
    )
    dockerfile: str | None = _guarded(
        None, kinds.INSIDE, "a file in place of the Dockerfile, relative to build", '"Dockerfile.dev"', "docker"
    )
    build_args: Mapping[str, str] = _guarded(
        _NO_VARIABLES, kinds.VARIABLES, "values of the Dockerfile's ARGs", '{ VERSION = "3" }', "docker"
    )
    build_target: str | None = _guarded(None, kinds.NAME, "stage of the Dockerfile to build", '"dev"', "docker")
    auto_start: bool = _harmless(True, kinds.FLAG, "start the container when it is stopped", "false", "docker")
    fresh: bool = _harmless(False, kinds.FLAG, "a new container of the image for every command", "true", "docker")
    pull: str = _harmless("missing", kinds.choice(*PULLS), "when to pull the image", '"never"', "docker")


KEYS: Mapping[str, Key] = MappingProxyType({key.name: Key(key.name, **key.metadata) for key in fields(Settings)})
