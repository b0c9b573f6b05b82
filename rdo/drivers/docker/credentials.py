"""The user's credentials for registries, as the header that an engine expects: from Docker's own config.json, and from
the credential helpers that it names, which are the user's programs.

The helpers' protocol: https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from rdo.drivers.docker import answer
from rdo.drivers.docker.endpoint import config_directory, read
from rdo.errors import ConnectError, reason
from rdo.util.caller_program import run_for_caller

HELPER_TIMEOUT = 60.0
"""Seconds for a helper, which may open a window of its own; `docker` waits indefinitely."""

HUB = "docker.io"
HUB_KEY = "https://index.docker.io/v1/"
"""Docker Hub's name in config.json, and for helpers."""

TOKEN_USER = "<token>"
"""The user name with which a helper marks an identity token."""

NOT_FOUND = "credentials not found in native keychain"
"""What a helper prints when it fails because it has nothing for a registry."""

Credentials = dict[str, str]
"""The AuthConfig of Docker's API: `username`, `password` and `serveraddress`, or `identitytoken`."""


def header_for_image(image: str, environment: Mapping[str, str]) -> str:
    """The header for the image's registry; empty if there are no credentials. Raises ConnectError."""
    return _encoded(_Store(environment, f"no credentials for the image `{image}`").find(registry_of(image)))


def header_for_all(environment: Mapping[str, str]) -> str:
    """The header for all registries that the user has logged in to; empty if there are none. Raises ConnectError."""
    return _encoded(_Store(environment, "no credentials for the base images of the build").find_all())


def registry_of(image: str) -> str:
    """The registry that an image is pulled from. Raises ConnectError."""
    from docker.auth import resolve_repository_name  # loaded here because it takes a tenth of a second
    from docker.errors import DockerException

    try:
        return str(resolve_repository_name(image.partition("@")[0])[0])
    except DockerException as error:
        raise ConnectError(f"`{image}` is not an image's name", str(error), "check `image`") from None


def _encoded(found: Mapping[str, object] | None) -> str:
    return base64.urlsafe_b64encode(json.dumps(found).encode()).decode() if found else ""


class _Store(NamedTuple):
    """The credentials of one caller. Errors start with `what`."""

    environment: Mapping[str, str]
    what: str

    def find(self, registry: str) -> Credentials | None:
        """The credentials for a registry: from its helper, or else from the file."""
        config = self._config()
        key = HUB_KEY if registry == HUB else registry
        helper = _table(config, "credHelpers").get(key) or config.get("credsStore")
        if helper and (found := self._ask(str(helper), key)):
            return found
        entries = {registry_of(f"{_host(key)}/"): entry for key, entry in _table(config, "auths").items()}
        return self._decoded(registry, entries[registry]) if registry in entries else None

    def find_all(self) -> dict[str, Credentials]:
        """The credentials for every registry, by the name that each has in the file or at the helper, and by its host
        name."""
        config = self._config()
        found = {key: self._decoded(key, entry) for key, entry in _table(config, "auths").items()}
        helpers = {str(key): str(helper) for key, helper in _table(config, "credHelpers").items()}
        if default := config.get("credsStore"):
            helpers = {**dict.fromkeys(self._run(str(default), "list", ""), str(default)), **helpers}
        for key, helper in helpers.items():
            if credentials := self._ask(helper, key):
                found |= {key: credentials, _host(key): credentials}
        return {key: credentials for key, credentials in found.items() if credentials}

    def _config(self) -> dict[str, Any]:
        """Docker's own configuration. If it cannot be read, `docker` warns, and continues without it."""
        try:
            return read(self._path)
        except (OSError, ValueError):
            return {}

    @property
    def _path(self) -> str:
        return os.path.join(config_directory(self.environment), "config.json")

    def _decoded(self, registry: str, entry: object) -> Credentials:
        """The credentials in an entry of `auths`; none if it is empty, as `docker login` leaves it for a helper."""
        try:
            if not isinstance(entry, dict):
                raise ValueError
            if token := entry.get("identitytoken"):
                return {"identitytoken": str(token)}
            if not (auth := entry.get("auth")):
                return {}
            from docker.auth import decode_auth  # loaded here, as above

            user, password = decode_auth(str(auth))
        except ValueError:
            why = f"`auths` in `{self._path}` has an invalid entry for `{registry}`"
            raise ConnectError(self.what, why, f"`docker login {registry}`") from None
        return {"username": user, "password": password.rstrip("\0"), "serveraddress": registry}

    def _ask(self, helper: str, key: str) -> Credentials | None:
        """The helper's credentials for a registry."""
        found = self._run(helper, "get", key)
        user, secret = str(found.get("Username", "")), str(found.get("Secret", ""))
        if not user and not secret:
            return None
        if user == TOKEN_USER:
            return {"identitytoken": secret, "serveraddress": key}
        return {"username": user, "password": secret, "serveraddress": key}

    def _run(self, helper: str, action: str, given: str) -> dict[str, Any]:
        """The object that a helper prints; empty if it has nothing."""
        program = f"docker-credential-{helper}"
        try:
            done = run_for_caller([program, action], self.environment, HELPER_TIMEOUT, given=given.encode())
            if done.returncode == 0:
                return _table({"": json.loads(done.stdout)}, "")
        except TimeoutError:
            why = f"the Docker credential helper did not respond within {HELPER_TIMEOUT:.0f} s"
            raise ConnectError(self.what, why, f"see `credsStore` and `credHelpers` in `{self._path}`") from None
        except FileNotFoundError:
            raise ConnectError(
                self.what, f"`{program}` is not in PATH", f"install it, or edit `{self._path}`"
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            why = reason(error) if isinstance(error, OSError) else "its answer is not valid"
            raise ConnectError(self.what, f"`{program}`: {why}", f"try `{program} {action}`") from None
        said = answer.brief((done.stdout + done.stderr).decode(errors="replace"))
        if NOT_FOUND in said:
            return {}
        raise ConnectError(self.what, f"`{program}`: {said or f'status {done.returncode}'}", "`docker login`")


def _table(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def _host(key: str) -> str:
    """The host in the name of a registry, which may be a URL."""
    from docker.auth import convert_to_hostname  # loaded here, as above

    return str(convert_to_hostname(key))
