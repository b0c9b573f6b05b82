"""All keys of config files, as one literal table: name, default, type, drivers, help.

A new key is one more line in `Settings`; it is guarded unless a reason is given why it is harmless. Pure: where values
come from, and which of them wins, is decided in merge.py.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from rdo.config import forwards, types
from rdo.config.types import ValueType

DEFAULT_PROFILE: Final = "default"

DRIVERS: Final = ("ssh", "vagrant", "docker", "local")

CONTAINERS: Final = ("container", "service", "image", "build")
"""With the driver docker, at most one of these says what to run in; without any, it is the dev container."""

ENDS: Final = ("kill", "keep")

PULLS: Final = ("missing", "never", "always")

SYNCS: Final = ("no", "push", "unison")

BROWSERS: Final = ("ask", "yes", "no")


PULL_PATHS: Final = types.PATH_GLOBS._replace(
    from_bare=lambda bare: bare if bare in PULLS else types.PATH_GLOBS.from_bare(bare),
    schema={"anyOf": [types.PATH_GLOBS.schema, {"enum": list(PULLS)}]},
)
"""The type of `pull`, under which older files have the words of `pull_image`; see legacy.py."""


class ConfigKey(NamedTuple):
    """What is known about a key, whatever its value. One without `help` is not documented yet.

    `drivers` are those that support it; none means all. `example` is a value in TOML. A `personal` key is only allowed
    in the user file, never in a file that a repository can contain. `harmless` is the reason why a repository may set
    the key without consent; empty for most. See `guarded`.
    """

    name: str
    value_type: ValueType
    help: str
    example: str
    drivers: tuple[str, ...]
    personal: bool
    harmless: str

    @property
    def guarded(self) -> bool:
        """Whether the user must have allowed a repository's value: it says where commands go, as whom, with which of
        the user's data, or what runs in their place."""
        return not self.harmless


_ABOUT: list[tuple[ValueType, str, str, tuple[str, ...], bool, str]] = []
"""What is known about the keys, in their order."""


def _key(
    default: object,
    value_type: ValueType,
    help: str,
    example: str,
    *drivers: str,
    personal: bool = False,
    harmless: str = "",
) -> Any:
    """The default of a key, whose other properties are recorded. It is guarded, unless it is `harmless`."""
    _ABOUT.append((value_type, help, example, drivers, personal, harmless))
    return default


_NO_NAMES: tuple[str, ...] = ()
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class Settings(NamedTuple):
    """The values of one profile. Times are in seconds. Paths are as written, including `~`.

    Not a dataclass, which would load `inspect`, and take a third of Python's start.
    """

    driver: str = _key("", types.choice(*DRIVERS), "how the target is reached: ssh, vagrant, docker or local", '"ssh"')
    directory: str | None = _key(
        None, types.DIRECTORY, "where this directory is on the target; `~/x` is below the login directory",
        '"/srv/myapp"',
    )  # fmt: skip
    env: Mapping[str, str] = _key(_NO_VARIABLES, types.VARIABLES, "variables to set on the target", '{ STAGE = "dev" }')
    pass_env: tuple[str, ...] = _key(
        _NO_NAMES,
        types.VARIABLE_GLOBS,
        "variables to pass from your environment: names and patterns",
        '["LANG", "LC_*"]',
    )
    path: tuple[str, ...] = _key(
        _NO_NAMES,
        types.DIRECTORIES,
        "directories to search first for commands, relative to `directory`",
        '["venv/bin"]',
    )
    login: bool = _key(False, types.FLAG, "start the target's login shell first, for nvm, pyenv and the like", "true")
    use_sudo: bool = _key(False, types.FLAG, "run every command as root", "true")
    map_args: bool = _key(
        True, types.FLAG, "rewrite local paths in arguments", "false",
        harmless="the words of a command go as they were typed, or with paths that mean the same files",
    )  # fmt: skip
    map_output: bool = _key(
        False, types.FLAG, "rewrite the target's paths in output to local ones", "true",
        harmless="what is written are names of the project's own files, and the target writes what it likes anyway",
    )  # fmt: skip
    idle_timeout: float = _key(
        3600.0, types.DURATION, "close an unused connection after this time; 0 means never", '"8h"',
        harmless="only the user's own commands can use a connection, however long it is held",
    )  # fmt: skip
    on_disconnect: str = _key(
        "kill", types.choice(*ENDS),
        "if the connection is lost, kill or keep running commands", '"keep"',
        harmless="the command that keeps running is one that the user started there",
    )  # fmt: skip
    connect_timeout: float | None = _key(
        None, types.DURATION, "give up connecting after this time", '"30s"',
        harmless="it ends an attempt, and starts none",
    )  # fmt: skip
    local_fallback: bool = _key(False, types.FLAG, "shims run the local tool when the target cannot be reached", "true")
    sync: str = _key("no", types.choice(*SYNCS), "how the project gets to the target: push, unison, or no", '"push"')
    pull: tuple[str, ...] = _key(
        _NO_NAMES,
        PULL_PATHS,
        "files that commands create there, to be copied back",
        '["dist/**", "coverage.xml"]',
    )
    include: tuple[str, ...] = _key(
        _NO_NAMES, types.PATH_GLOBS, "files to push although git ignores them", '["config/local.yml"]'
    )
    exclude: tuple[str, ...] = _key(
        _NO_NAMES, types.PATH_GLOBS, "files not to push although git tracks them", '["docs/videos/"]'
    )
    sync_git: bool = _key(False, types.FLAG, "push `.git` as well", "true")
    forward: tuple[str, ...] = _key(
        _NO_NAMES, types.strings(forwards.fault), "ports to forward from here to the target, as with ssh -L",
        '["3000", "5433:5432", "8080:db:80"]',
    )  # fmt: skip
    auto_forward: bool = _key(False, types.FLAG, "forward the ports that commands listen on", "true")
    open_browser: str = _key(
        "no", types.choice(*BROWSERS), "open here the URLs that commands open there: ask, yes or no", '"ask"'
    )

    host: str | None = _key(None, types.HOST, "alias from ~/.ssh/config, or a host name or address", '"devbox"', "ssh")
    user: str | None = _key(None, types.USER, "user to log in or run as", '"deploy"', "ssh", "docker")
    port: int | None = _key(None, types.PORT, "port of the SSH server", "2222", "ssh")
    identity: str | None = _key(None, types.TEXT, "private key file", '"~/.ssh/id_dev"', "ssh")
    jump: str | None = _key(None, types.JUMP, "jump hosts, as with ssh -J", '"gate.example.com"', "ssh")
    ssh_config: str | None = _key(
        None, types.TEXT, "file to use instead of ~/.ssh/config", '"~/.ssh/work_config"', "ssh", personal=True
    )

    machine: str | None = _key(
        None, types.NAME, "machine to use if the Vagrantfile defines several", '"web"', "vagrant"
    )
    auto_up: bool = _key(False, types.FLAG, "run vagrant up when the machine is down", "true", "vagrant")

    container: str | None = _key(None, types.NAME, "container to run in", '"web-1"', "docker")
    service: str | None = _key(None, types.NAME, "compose service to run in", '"web"', "docker")
    image: str | None = _key(None, types.IMAGE, "image to create a container from", '"python:3.12"', "docker")
    build: str | None = _key(
        None, types.INSIDE, "directory whose Dockerfile builds the image for a container", '"."', "docker"
    )
    dockerfile: str | None = _key(
        None, types.INSIDE, "Dockerfile to use, relative to `build`", '"Dockerfile.dev"', "docker"
    )
    build_args: Mapping[str, str] = _key(
        _NO_VARIABLES,
        types.VARIABLES,
        "build arguments: values for ARG in the Dockerfile",
        '{ VERSION = "3" }',
        "docker",
    )
    build_target: str | None = _key(None, types.NAME, "stage of the Dockerfile to build", '"dev"', "docker")
    auto_start: bool = _key(True, types.FLAG, "start the container when it is stopped", "false", "docker")
    fresh: bool = _key(False, types.FLAG, "create a new container for every command", "true", "docker")
    pull_image: str = _key("missing", types.choice(*PULLS), "when to pull the image", '"never"', "docker")


KEYS: Mapping[str, ConfigKey] = MappingProxyType(
    {name: ConfigKey(name, *about) for name, about in zip(Settings._fields, _ABOUT, strict=True)}
)
