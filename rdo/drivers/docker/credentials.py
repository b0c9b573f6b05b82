"""The user's credentials for registries, in the header by which an engine is told them: those of Docker's own
configuration, its helper programs included. The only module that imports the SDK, which knows how to find them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rdo.drivers.docker.endpoint import config_directory, read
from rdo.errors import ConnectError
from rdo.util import threads

if TYPE_CHECKING:
    from docker.auth import AuthConfig

HELPER_TIMEOUT = 60.0
"""Seconds for a helper program, which may ask on a screen of its own. The SDK waits for ever, and commands with it."""


def header_for_image(image: str, environment: Mapping[str, str]) -> str:
    """The header for the image's registry; empty where there are no credentials. Raises ConnectError."""
    import docker.auth

    def resolve(known: AuthConfig) -> object:
        registry, _ = docker.auth.resolve_repository_name(image.partition("@")[0])
        return docker.auth.resolve_authconfig(known, registry, credstore_env=dict(environment))

    return _header(resolve, environment, f"no credentials for the image `{image}`")


def header_for_all(environment: Mapping[str, str]) -> str:
    """The header for any registry that the user logged in to; empty where there is none. Raises ConnectError."""
    what = "no credentials for the images to build of"
    return _header(lambda known: known.get_all_credentials(), environment, what)  # type: ignore[no-untyped-call]


def _header(resolve: Callable[[AuthConfig], object], environment: Mapping[str, str], what: str) -> str:
    path = os.path.join(config_directory(environment), "config.json")
    if not os.path.exists(path):
        return ""
    import docker.auth
    import docker.errors

    done: list[str | docker.errors.DockerException] = []

    def look() -> None:
        try:
            found = resolve(docker.auth.load_config(config_dict=_config(path), credstore_env=dict(environment)))
            done.append(docker.auth.encode_header(found).decode() if found else "")
        except docker.errors.DockerException as error:
            done.append(error)

    threads.start(look, name="credentials").join(HELPER_TIMEOUT)
    if not done:
        why = f"Docker's credential helper gave no answer within {HELPER_TIMEOUT:.0f} s"
        raise ConnectError(what, why, f"see `credsStore` and `credHelpers` in `{path}`")
    if isinstance(done[0], str):
        return done[0]
    raise ConnectError(what, str(done[0]), "`docker login`")


def _config(path: str) -> dict[str, object]:
    """Docker's own configuration; with a key at least, for of an empty one the SDK looks for a file itself."""
    with contextlib.suppress(OSError, ValueError):  # as `docker` does: it warns and goes on without
        return {"auths": {}, **read(path)}
    return {"auths": {}}
