"""The drivers by name. Only the one that a profile names is imported, since paramiko and docker are slow to load."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rdo.errors import ConfigError
from rdo.util import home

if TYPE_CHECKING:
    from rdo.config.load import Config
    from rdo.drivers.base import Driver
    from rdo.drivers.ssh.query import Query


ENV_VARS = (
    "HOME", "RDO_SSH_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS",
    "DOCKER_TLS_VERIFY", "VAGRANT_CWD", "VAGRANT_DOTFILE_PATH", "VAGRANT_VAGRANTFILE", "VAGRANT_HOME",
    "VAGRANT_DEFAULT_PROVIDER", "COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_PROJECT_NAME",
)  # fmt: skip
"""The caller's variables by which a driver finds its target, in addition to the profile."""


def create(config: Config, environment: Mapping[str, str]) -> Driver:
    """Create the driver of the profile, for callers with these ENV_VARS. Does not connect. Raises ConfigError."""
    settings = config.settings
    if settings.driver == "ssh":
        from rdo.drivers.ssh.driver import SshDriver

        return SshDriver(
            settings.host or "",
            user=settings.user,
            port=settings.port,
            identity=settings.identity,
            jump=settings.jump,
            ssh_config=ssh_config_file(settings.ssh_config, environment),
            connect_timeout=settings.connect_timeout,
            directory=settings.directory,
            root=config.root,
        )
    if settings.driver == "vagrant":
        from rdo.drivers.vagrant.driver import VagrantDriver

        return VagrantDriver(
            config.root,
            machine=settings.machine,
            directory=settings.directory,
            auto_up=settings.auto_up,
            connect_timeout=settings.connect_timeout,
            environment=environment,
        )
    if settings.driver == "local":
        from rdo.drivers.local.driver import LocalDriver

        return LocalDriver(config.root, settings.directory)
    from rdo.drivers.docker.driver import DockerDriver

    return DockerDriver(settings, config.root, config.profile, environment)


def ssh_query(driver: Driver, environment: Mapping[str, str]) -> Query | None:
    """Start `ssh -G` for the target; None if ssh is not used, or only Vagrant knows. Raises ConnectError."""
    begin: Callable[[Mapping[str, str]], Query | None] | None = getattr(driver, "ssh_query", None)
    return begin(environment) if begin else None


def programs(config: Config, environment: Mapping[str, str]) -> list[str]:
    """The files of the repository that the profile's driver runs on this machine. Raises RdoError."""
    if config.settings.driver == "docker" and config.settings.build:
        from rdo.drivers.docker import dockerfile

        context = dockerfile.locate(config.root, config.settings.build, config.settings.dockerfile)
        return [os.path.join(context.directory, context.dockerfile)]
    if config.settings.driver != "vagrant":
        return []
    from rdo.drivers.vagrant import project

    return [project.find_project(config.root, environment).vagrantfile]


def ssh_config_file(configured: str | None, environment: Mapping[str, str]) -> str | None:
    """The file to use in place of ~/.ssh/config: RDO_SSH_CONFIG, or else `ssh_config` of the user's file."""
    given = environment.get("RDO_SSH_CONFIG") or configured
    if not given:
        return None
    path = home.expand(given, environment)
    if not os.path.isabs(path):
        raise ConfigError(f"the ssh configuration `{given}` is not an absolute path", "", "start it with `/` or `~`")
    return path
