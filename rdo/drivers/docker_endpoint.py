"""Where the Docker engine is, as the `docker` command finds it: DOCKER_HOST, DOCKER_CONTEXT, the current context.

Reads the caller's environment and Docker's own files, never those of a repository. Connects to nothing. The SDK's
resolution knows no contexts, and looks at the environment of this process instead of the caller's.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from rdo import small_file
from rdo.errors import ConfigError

DEFAULT = "unix:///var/run/docker.sock"
PORTS = {"tcp": 2375, "ssh": 22}
TLS_PORT = 2376

LARGEST = 1024 * 1024
"""Bytes of a file of Docker's own: a config.json with a hundred registries has a tenth of that."""


class Tls(NamedTuple):
    """How to speak TLS: folder with `ca.pem`, `cert.pem` and `key.pem`, none of which need be there."""

    folder: str
    verify: bool


class Endpoint(NamedTuple):
    """An engine's address. `host` is a path where the scheme is `unix`; `port` is 0 where none was given to ssh."""

    name: str
    scheme: str
    host: str
    port: int = 0
    user: str = ""
    tls: Tls | None = None


def resolve(environment: Mapping[str, str]) -> Endpoint:
    """The engine that `docker` would talk to. Raises ConfigError."""
    if host := environment.get("DOCKER_HOST"):
        return parse(host, _tls(environment))
    name = environment.get("DOCKER_CONTEXT") or _current_context(environment)
    if name in ("", "default"):
        return parse(DEFAULT, None)
    return _of_context(name, environment)


def parse(name: str, tls: Tls | None) -> Endpoint:
    """An address such as `unix:///var/run/docker.sock`, `tcp://10.0.0.1:2376`, `ssh://me@box`. Raises ConfigError."""
    try:
        parts = urlsplit(name)
        port = parts.port
    except ValueError:
        raise _unknown(name) from None
    if parts.scheme == "unix" and parts.path:
        return Endpoint(name, "unix", parts.path)
    if parts.scheme not in ("tcp", "http", "https", "ssh") or not parts.hostname:
        raise _unknown(name)
    if parts.scheme == "ssh":
        return _ssh(name, parts.hostname, port or 0, unquote(parts.username or ""))
    if parts.scheme == "https":
        tls = tls or Tls("", verify=True)
    return Endpoint(name, "tcp", parts.hostname, port or (TLS_PORT if tls else PORTS["tcp"]), tls=tls)


def _ssh(name: str, host: str, port: int, user: str) -> Endpoint:
    if host.startswith("-") or user.startswith("-"):  # ssh would take it for an option: CVE-2017-1000117
        raise ConfigError(f"`{name}` is no address of a Docker engine", "a name cannot begin with `-`")
    return Endpoint(name, "ssh", host, port, user)


def _unknown(name: str) -> ConfigError:
    return ConfigError(
        f"`{name}` is no address of a Docker engine", "", "use `unix:///path`, `tcp://host:port` or `ssh://user@host`"
    )


def _tls(environment: Mapping[str, str]) -> Tls | None:
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    if not verify and not environment.get("DOCKER_TLS"):
        return None
    return Tls(environment.get("DOCKER_CERT_PATH") or config_folder(environment), verify)


def config_folder(environment: Mapping[str, str]) -> str:
    """Where Docker's own files are."""
    return environment.get("DOCKER_CONFIG") or os.path.join(environment.get("HOME") or "/", ".docker")


def _current_context(environment: Mapping[str, str]) -> str:
    try:
        found = read(os.path.join(config_folder(environment), "config.json")).get("currentContext")
    except (OSError, ValueError):
        return ""  # as `docker` does: it warns and goes on with the default
    return found if isinstance(found, str) else ""


def _of_context(name: str, environment: Mapping[str, str]) -> Endpoint:
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    contexts = os.path.join(config_folder(environment), "contexts")
    try:
        docker = read(os.path.join(contexts, "meta", digest, "meta.json"))["Endpoints"]["docker"]
        host, verify = str(docker["Host"]), not docker.get("SkipTLSVerify")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(f"there is no docker context `{name}`", "", "see `docker context ls`") from None
    folder = os.path.join(contexts, "tls", digest, "docker")
    return parse(host, Tls(folder, verify) if os.path.isdir(folder) else None)


def read(path: str) -> dict[str, Any]:
    """The object in a JSON file of Docker's own. Raises OSError, ValueError."""
    found = json.loads(small_file.read(path, LARGEST))
    if not isinstance(found, dict):
        raise ValueError(path)
    return found
