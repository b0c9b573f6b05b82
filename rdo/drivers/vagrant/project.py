"""Where a Vagrant project is, by Vagrant's own rules: its Vagrantfile, its directory, its state directory.

Looks for files and reads none. Starts nothing: what Vagrant says is rdo.drivers.vagrant.command's business.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from rdo.errors import ConfigError

NAMES = ("Vagrantfile", "vagrantfile")
"""What Vagrant looks for, unless VAGRANT_VAGRANTFILE names another."""


class VagrantProject(NamedTuple):
    """A Vagrant project on this machine; all paths absolute."""

    start: str
    """The directory from which Vagrant is to look for the Vagrantfile, upwards."""
    vagrantfile: str
    dotfile: str
    """Vagrant's state of the project, `.vagrant` by default."""

    @property
    def directory(self) -> str:
        """The Vagrantfile's directory: relative paths in it start here."""
        return os.path.dirname(self.vagrantfile)

    @property
    def machines(self) -> str:
        """The directory with one directory a machine."""
        return os.path.join(self.dotfile, "machines")

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The variables for a `vagrant` that is to work in this project, wherever it is started."""
        return {**given, "VAGRANT_CWD": self.start, "VAGRANT_DOTFILE_PATH": self.dotfile}

    def stamp(self) -> list[object]:
        """What changes when another Vagrantfile counts, or when this one was edited."""
        try:
            info = os.stat(self.vagrantfile)
        except OSError:
            return [self.vagrantfile]
        return [self.vagrantfile, info.st_mtime_ns, info.st_size]


def find_project(root: str, environment: Mapping[str, str]) -> VagrantProject:
    """The project of the directory `root`, or of VAGRANT_CWD. Raises ConfigError where there is no Vagrantfile."""
    begin = search_start(root, environment)
    custom = environment.get("VAGRANT_VAGRANTFILE")
    directory = begin
    while True:
        for name in [custom] if custom else NAMES:
            vagrantfile = os.path.join(directory, name)
            if os.path.isfile(vagrantfile):
                return VagrantProject(begin, vagrantfile, _dotfile(os.path.dirname(vagrantfile), environment))
        above = os.path.dirname(directory)
        if above == directory:
            why = f"it and the directories above have no {custom or 'Vagrantfile'}"
            raise ConfigError(f"`{begin}` has no Vagrant machine", why, "`vagrant init` writes one")
        directory = above


def search_start(root: str, environment: Mapping[str, str]) -> str:
    """Where Vagrant begins to look: VAGRANT_CWD, which is relative to the working directory, else `root`."""
    given = environment.get("VAGRANT_CWD")
    if not given:
        return root
    return os.path.normpath(os.path.join(environment.get("PWD") or root, os.path.expanduser(given)))


def _dotfile(directory: str, environment: Mapping[str, str]) -> str:
    given = environment.get("VAGRANT_DOTFILE_PATH") or ".vagrant"
    return os.path.normpath(os.path.join(directory, os.path.expanduser(given)))
