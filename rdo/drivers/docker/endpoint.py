"""Finds the Docker engine as the `docker` command does: by DOCKER_HOST, DOCKER_CONTEXT, and the current context.

Reads the caller's environment and Docker's own files, never those of a repository. Does not connect.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from rdo.errors import ConfigError, reason
from rdo.fscodec import fsencode
from rdo.util import foreign_file
from rdo.util.digest import sha256_hex

SOCKET = "/var/run/docker.sock"
DEFAULT = f"unix://{SOCKET}"
DEFAULT_TLS = "tcp://localhost:2376"
"""Where `docker` connects if TLS is requested without a host."""

PORT = 2375
TLS_PORT = 2376

SCHEMES = ("tcp", "http", "https", "ssh")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")

ADDRESSES = "use `unix:///path`, `tcp://host:port` or `ssh://user@host`"

FILE_LIMIT = 1024 * 1024
"""Bytes of one of Docker's own files. A config.json with a hundred registries has a tenth of that."""


class TlsFiles(NamedTuple):
    """The files for TLS: a directory with `ca.pem`, `cert.pem` and `key.pem`; the last two may both be missing."""

    directory: str
    verify: bool
    needs_ca: bool = True
    """Whether `ca.pem` must exist, as it must if the environment requests TLS, but not for a context."""


class EngineEndpoint(NamedTuple):
    """An engine's address. `host` is a path if the scheme is `unix`; `port` is 0 if none was given for ssh.

    `path` is a prefix for all requests over TCP, or the socket on the other side of ssh.
    """

    name: str
    scheme: str
    host: str
    port: int = 0
    user: str = ""
    tls: TlsFiles | None = None
    path: str = ""

    @property
    def prefix(self) -> str:
        """The prefix of all requests."""
        return "" if self.scheme == "ssh" else self.path

    @property
    def is_remote(self) -> bool:
        """Whether the engine is reached over a network."""
        return self.scheme != "unix"


def resolve(environment: Mapping[str, str]) -> EngineEndpoint:
    """The engine that `docker` would use. Raises ConfigError."""
    if host := environment.get("DOCKER_HOST"):
        return parse(host, _tls(environment))
    name = environment.get("DOCKER_CONTEXT") or _current_context(environment)
    if name in ("", "default"):
        return parse("", _tls(environment))
    return _of_context(name, environment)


def parse(name: str, tls: TlsFiles | None) -> EngineEndpoint:
    """Parse an address such as `unix:///var/run/docker.sock`, `tcp://10.0.0.1:2376` or `ssh://me@box` as `docker` does.

    Without a scheme it is a host for TCP; an empty one is this machine's engine. Raises ConfigError.
    """
    name = name.strip() or (DEFAULT_TLS if tls else DEFAULT)
    if CONTROL.search(name):
        raise _unknown(name)
    if name.startswith("unix://"):
        return EngineEndpoint(name, "unix", name.removeprefix("unix://") or SOCKET)
    try:
        parts = urlsplit(name if "://" in name else f"tcp://{name}")
        port = parts.port
    except ValueError:
        raise _unknown(name) from None
    if parts.query or parts.fragment or parts.scheme not in SCHEMES:
        raise _unknown(name)
    if parts.scheme == "ssh":
        return _ssh(name, parts, port or 0)
    if parts.scheme == "https":
        tls = tls or TlsFiles("", verify=True, needs_ca=False)
    host = _host(parts) or "localhost"
    return EngineEndpoint(name, "tcp", host, port or (TLS_PORT if tls else PORT), tls=tls, path=parts.path.rstrip("/"))


def _host(parts: SplitResult) -> str:
    """The host as written: an ssh alias may contain capitals, which `hostname` would change to lower case."""
    place = parts.netloc.rpartition("@")[2]
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def _ssh(name: str, parts: SplitResult, port: int) -> EngineEndpoint:
    host, user = _host(parts), unquote(parts.username or "")
    if not host or parts.password is not None:
        raise _unknown(name)
    if host.startswith("-") or user.startswith("-"):  # ssh would treat it as an option: CVE-2017-1000117
        raise ConfigError(f"`{name}` is not the address of a Docker engine", "a name cannot begin with `-`", ADDRESSES)
    return EngineEndpoint(name, "ssh", host, port, user, path=parts.path.rstrip("/"))


def _unknown(name: str) -> ConfigError:
    return ConfigError(f"`{name}` is not the address of a Docker engine", "", ADDRESSES)


def _tls(environment: Mapping[str, str]) -> TlsFiles | None:
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    if not verify and not environment.get("DOCKER_TLS"):
        return None
    return TlsFiles(environment.get("DOCKER_CERT_PATH") or config_directory(environment), verify)


def config_directory(environment: Mapping[str, str]) -> str:
    """The directory of Docker's own files."""
    return environment.get("DOCKER_CONFIG") or os.path.join(environment.get("HOME") or "/", ".docker")


def _current_context(environment: Mapping[str, str]) -> str:
    try:
        found = read(os.path.join(config_directory(environment), "config.json")).get("currentContext")
    except (OSError, ValueError):
        return ""  # as `docker` does, which warns and uses the default
    return found if isinstance(found, str) else ""


def _of_context(name: str, environment: Mapping[str, str]) -> EngineEndpoint:
    digest = sha256_hex(fsencode(name))
    contexts = os.path.join(config_directory(environment), "contexts")
    try:
        docker = read(os.path.join(contexts, "meta", digest, "meta.json"))["Endpoints"]["docker"]
        host, verify = str(docker["Host"]), not docker.get("SkipTLSVerify")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        named = "DOCKER_CONTEXT names it; " if environment.get("DOCKER_CONTEXT") else ""
        raise ConfigError(f"there is no docker context `{name}`", "", f"{named}see `docker context ls`") from None
    directory = os.path.join(contexts, "tls", digest, "docker")
    return parse(host, TlsFiles(directory, verify, needs_ca=False) if _is_there(directory) or not verify else None)


def _is_there(directory: str) -> bool:
    """Whether the directory exists. Raises ConfigError if that is unknown, since False would turn TLS off."""
    try:
        os.stat(directory)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ConfigError(f"cannot read `{directory}`", reason(error), "make it readable for you") from None
    return True


def read(path: str) -> dict[str, Any]:
    """The object in a JSON file of Docker's own. Raises OSError, ValueError."""
    found = json.loads(foreign_file.read(path, FILE_LIMIT))
    if not isinstance(found, dict):
        raise ValueError(path)
    return found
