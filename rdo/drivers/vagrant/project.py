"""A Vagrant project on disk, by Vagrant's own rules: its Vagrantfile, and what its state directory says about machines.

Reads Vagrant's files, which pure functions parse, and writes none. Runs nothing: rdo.drivers.vagrant.command does that.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from rdo.drivers.root import Root
from rdo.errors import ConfigError, ConnectError
from rdo.fscodec import fsencode
from rdo.project import upwards
from rdo.util import foreign_file, home
from rdo.util.lines import strip_blanks
from rdo.util.phrases import listed

NAMES = ("Vagrantfile", "vagrantfile")
"""The file names that Vagrant looks for, unless VAGRANT_VAGRANTFILE is set."""

FILE_LIMIT = 1024 * 1024
"""Bytes to read of a file of Vagrant's. A machine index with a thousand machines has half as many."""

MACHINE_LIMIT = 1000
"""Machine directories to look at. A repository might contain a million."""

RSYNC = "rsync: one-way, from here to the machine, when `vagrant rsync` or `vagrant reload` runs"

RUNNING = "running"
"""What every provider calls the state of a running machine."""


class VagrantProject(NamedTuple):
    """A Vagrant project on this machine. All paths are absolute."""

    start: str
    """The directory from which Vagrant searches upwards for the Vagrantfile."""
    vagrantfile: str
    dotfile: str
    """Vagrant's state directory for the project, `.vagrant` by default."""

    @property
    def directory(self) -> str:
        """The Vagrantfile's directory, to which paths in the file are relative."""
        return os.path.dirname(self.vagrantfile)

    @property
    def machines(self) -> str:
        """The directory that has a directory for each machine."""
        return os.path.join(self.dotfile, "machines")

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment for a `vagrant` that is to use this project, whatever its working directory."""
        return {**given, "VAGRANT_CWD": self.start, "VAGRANT_DOTFILE_PATH": self.dotfile}

    def stamp(self) -> list[object]:
        """Changes when another Vagrantfile applies, or when this one was edited."""
        try:
            info = os.stat(self.vagrantfile)
        except OSError:
            return [self.vagrantfile]
        return [self.vagrantfile, info.st_mtime_ns, info.st_size]


def find_project(root: str, environment: Mapping[str, str]) -> VagrantProject:
    """The project of the directory `root`, or of VAGRANT_CWD. Raises ConfigError if there is no Vagrantfile."""
    begin = search_start(root, environment)
    custom = environment.get("VAGRANT_VAGRANTFILE")
    names = [custom] if custom else NAMES
    paths = (os.path.join(directory, name) for directory in upwards(begin) for name in names)
    vagrantfile = next(filter(os.path.isfile, paths), None)
    if vagrantfile is None:
        missing = f"`{custom}` (VAGRANT_VAGRANTFILE)" if custom else "Vagrantfile"
        why = f"it and the directories above have no {missing}"
        named = "VAGRANT_CWD names it; " if environment.get("VAGRANT_CWD") else ""
        raise ConfigError(f"`{begin}` has no Vagrant machine", why, f"{named}`vagrant init` writes one")
    return VagrantProject(begin, vagrantfile, _dotfile(os.path.dirname(vagrantfile), environment))


def search_start(root: str, environment: Mapping[str, str]) -> str:
    """Where Vagrant starts its search: VAGRANT_CWD, which is relative to the working directory, or else `root`."""
    given = environment.get("VAGRANT_CWD")
    if not given:
        return root
    return os.path.normpath(os.path.join(environment.get("PWD") or root, home.expand(given, environment)))


def _dotfile(directory: str, environment: Mapping[str, str]) -> str:
    given = environment.get("VAGRANT_DOTFILE_PATH") or ".vagrant"
    return os.path.normpath(os.path.join(directory, home.expand(given, environment)))


class VagrantMachine(NamedTuple):
    """A machine that has been created. `directory` is where Vagrant keeps its files."""

    name: str
    provider: str
    id: str
    directory: str


def known_machines(project: VagrantProject) -> list[str]:
    """The names of the machines that have a directory. Not every machine has one, and some of these may no longer
    exist."""
    return _directories(project.machines)


def find_machine(project: VagrantProject, name: str, environment: Mapping[str, str]) -> VagrantMachine | None:
    """The machine of this name; None if it has not been created.

    If it exists with several providers, the one of VAGRANT_DEFAULT_PROVIDER, or else the only one that is running.
    Raises ConnectError.
    """
    made = created_machines(project, name)
    if len(made) < 2:
        return made[0] if made else None
    named = [each for each in made if each.provider == environment.get("VAGRANT_DEFAULT_PROVIDER")]
    running = [each for each in made if _last_state(each, environment) == RUNNING]
    if len(named) == 1 or len(running) == 1:
        return (named or running)[0]
    why = f"they were created by {listed([each.provider for each in made])}"
    hint = f"set VAGRANT_DEFAULT_PROVIDER, or `vagrant destroy {name}` the other one"
    raise ConnectError(f"several machines `{name}` match", why, hint)


def created_machines(project: VagrantProject, name: str) -> list[VagrantMachine]:
    """The machines of this name, one for each provider."""
    above = os.path.join(project.machines, name)
    directories = [(provider, os.path.join(above, provider)) for provider in _directories(above)]
    read = ((pair, strip_blanks(_read(os.path.join(pair[1], "id"), project.dotfile))) for pair in directories)
    return [VagrantMachine(name, provider, identity, directory) for (provider, directory), identity in read if identity]


def synced_roots(project: VagrantProject, machine: VagrantMachine) -> list[Root]:
    """The machine's synced folders."""
    return synced_folders(_read(os.path.join(machine.directory, "synced_folders"), project.dotfile), project.directory)


def machine_files(project: VagrantProject, name: str, environment: Mapping[str, str]) -> list[str]:
    """All files that find_machine and synced_roots read. If none of them changes, neither do the results."""
    above = os.path.join(project.machines, name)
    directories = [os.path.join(above, provider) for provider in _directories(above)]
    names = ("", "id", "synced_folders", "index_uuid")
    return [above, _machine_index(environment), *(os.path.join(each, name) for each in directories for name in names)]


def seems_down(machine: VagrantMachine, environment: Mapping[str, str]) -> bool:
    """Whether the machine was not running when Vagrant last looked.

    Vagrant records that in its machine index. A machine that is down may have lost its port to another one.
    """
    return _last_state(machine, environment) not in ("", RUNNING)


def _last_state(machine: VagrantMachine, environment: Mapping[str, str]) -> str:
    """The state that Vagrant recorded last; empty if there is none."""
    return index_state(
        _read(_machine_index(environment)), strip_blanks(_read(os.path.join(machine.directory, "index_uuid")))
    )


def _machine_index(environment: Mapping[str, str]) -> str:
    directory = home.expand(environment.get("VAGRANT_HOME") or "~/.vagrant.d", environment)
    return os.path.join(directory, "data", "machine-index", "index")


def synced_folders(text: str, directory: str) -> list[Root]:
    """The roots in a `synced_folders` file. Relative local paths are relative to `directory`.

    The file maps kind -> id -> details, as written by Vagrant's MixinSyncedFolders. Directories that depend on the home
    directory on the machine (`~/x`) are left out.
    """
    found = []
    for kind, details in _each_directory(text):
        local, remote = str(details.get("hostpath", "")), str(details.get("guestpath", ""))
        if _is_path(local) and _is_path(remote) and remote.startswith("/") and not details.get("disabled"):
            path = os.path.normpath(os.path.join(directory, os.path.expanduser(local)))
            found.append(Root(path, os.path.normpath(remote), RSYNC if kind == "rsync" else ""))
    return found


def _is_path(text: str) -> bool:
    """Whether the text can be a path. JSON can contain NUL and lone surrogates, which no path can."""
    try:
        return bool(text) and "\0" not in text and bool(fsencode(text))
    except UnicodeEncodeError:
        return False


def index_state(text: str, uuid: str) -> str:
    """The state of a machine in Vagrant's machine index, such as `running`; empty if it is not listed."""
    document = _parse(text)
    machines = document.get("machines")
    entry = machines.get(uuid) if isinstance(machines, dict) else None
    return str(entry.get("state") or "") if isinstance(entry, dict) else ""


def _each_directory(text: str) -> Iterator[tuple[str, dict[str, object]]]:
    for kind, directories in _parse(text).items():
        for details in directories.values() if isinstance(directories, dict) else ():
            if isinstance(details, dict):
                yield kind, details


def _parse(text: str) -> dict[str, object]:
    """The JSON object; empty for anything else, such as a file that Vagrant is just writing."""
    with contextlib.suppress(ValueError, RecursionError):
        document = json.loads(text)
        if isinstance(document, dict):
            return document
    return {}


def _directories(path: str) -> list[str]:
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        return sorted(entry.name for entry in islice(entries, MACHINE_LIMIT) if entry.is_dir(follow_symlinks=False))
    return []


def _read(path: str, within: str = "") -> str:
    """The text of a file; empty if there is none. A cloned repository may contain a forged state directory."""
    with contextlib.suppress(OSError):
        return foreign_file.read_text(path, FILE_LIMIT, within=within)
    return ""
