"""~/.ssh/config read without an ssh program, by paramiko's reader; printed as `ssh -G` would.

Only a fallback: that reader ignores Include. Nothing else belongs here.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Mapping

from paramiko import config
from paramiko.config import SSHConfig
from paramiko.ssh_exception import ConfigParseError

from rdo import small_file
from rdo.drivers.openssh import Request
from rdo.errors import ConnectError

LARGEST = 1024 * 1024
"""Bytes of an ssh configuration."""

DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519")


def lines(request: Request) -> list[str]:
    """The options for a host, one `key value` a line. Raises ConnectError where the file cannot be used."""
    _allow_match_exec()
    path = request.ssh_config or os.path.expanduser("~/.ssh/config")
    try:
        parsed = SSHConfig.from_text(small_file.read_text(path, LARGEST))
        found: Mapping[str, str | list[str]] = parsed.lookup(request.host)
    except FileNotFoundError:
        found = {}
    except (OSError, ConfigParseError) as error:
        raise ConnectError(f"the ssh configuration `{path}` is not usable", str(error)) from error
    given = {"user": request.user, "port": request.port, "proxyjump": request.jump}
    chosen = {**_defaults(), **found, **{key: str(value) for key, value in given.items() if value}}
    return [f"{key} {value}" for key, values in chosen.items() for value in _each(key, values)]


def _allow_match_exec() -> None:
    """Give paramiko what rdo.drivers has kept from it."""
    if sys.modules.get("invoke") is None:
        sys.modules.pop("invoke", None)
        with contextlib.suppress(ImportError):
            setattr(config, "invoke", importlib.import_module("invoke"))  # noqa: B010  (the stubs do not have it)


def _defaults() -> dict[str, str | list[str]]:
    return {
        "identityfile": [f"~/.ssh/{name}" for name in DEFAULT_KEYS],
        "userknownhostsfile": "~/.ssh/known_hosts ~/.ssh/known_hosts2",
        "globalknownhostsfile": "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
    }


def _each(key: str, values: str | list[str] | None) -> Iterator[str]:
    if isinstance(values, list):
        yield from values
    elif key in ("sendenv", "setenv"):
        yield from (values or "").split()
    else:
        yield values or "none"
