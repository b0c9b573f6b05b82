"""Ways to reach a target. Only the one that a profile names is ever imported: paramiko and docker are slow to load."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rdo.drivers.base import Driver
from rdo.errors import ConfigError, RdoError

if TYPE_CHECKING:
    from rdo.config.load import Config
    from rdo.drivers.ssh.options import SshOptions


def create(config: Config) -> Driver:
    """The driver of the profile. Connects to nothing. Raises ConfigError."""
    settings = config.settings
    if settings.driver == "ssh":
        from rdo.drivers.ssh.driver import SshDriver

        return SshDriver(
            settings.host or "",
            user=settings.user,
            port=settings.port,
            identity=settings.identity,
            jump=settings.jump,
            ssh_config=ssh_config_file(settings.ssh_config),
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
            environment=os.environ,
        )
    if settings.driver == "local":
        from rdo.drivers.local.driver import LocalDriver

        return LocalDriver(config.root, settings.directory)
    from rdo.drivers.docker.driver import DockerDriver

    return DockerDriver(settings, config.root, config.profile)


def ssh_options(driver: Driver, environment: Mapping[str, str]) -> SshOptions | None:
    """How ssh reaches the target; None where it does not, or only Vagrant knows. Raises ConnectError."""
    from rdo.drivers.ssh.driver import SshDriver
    from rdo.drivers.vagrant.driver import VagrantDriver

    return driver.ssh_options(environment) if isinstance(driver, SshDriver | VagrantDriver) else None


def programs(config: Config) -> list[str]:
    """The files of the repository that the profile's driver has run on this machine. Raises RdoError."""
    if config.settings.driver == "docker" and config.settings.build:
        from rdo.drivers.docker import build_context

        context = build_context.locate(config.root, config.settings.build, config.settings.dockerfile)
        return [os.path.join(context.directory, context.dockerfile)]
    if config.settings.driver != "vagrant":
        return []
    from rdo.drivers.vagrant import project

    return [project.find_project(config.root, os.environ).vagrantfile]


def recipe(config: Config) -> object:
    """Equal to an earlier one while what the target is built of is the same: the Dockerfile of `build`."""
    if config.settings.driver != "docker" or not config.settings.build:
        return None
    try:
        return [
            (path, info.st_mtime_ns, info.st_size, info.st_ino) for path in programs(config) for info in [os.stat(path)]
        ]
    except (OSError, RdoError):
        return "missing"


def ssh_config_file(configured: str | None) -> str | None:
    """The file that stands in for ~/.ssh/config: RDO_SSH_CONFIG, else the user file's `ssh_config`."""
    given = os.environ.get("RDO_SSH_CONFIG") or configured
    if not given:
        return None
    path = os.path.expanduser(given)
    if not os.path.isabs(path):
        raise ConfigError(f"the ssh configuration `{given}` is not an absolute path", "", "start it with `/` or `~`")
    return path
