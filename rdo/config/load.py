"""Loads config files from disk into a Config.

What files contain and which value wins is decided by the pure modules that this one calls: plain_text.py, toml.py and
ini.py (the syntax), document.py, legacy.py, merge.py. Whether others can change a file is checked here, on its open
descriptor, so that it cannot be replaced between the check and the reading.
"""

import grp
import os
import pwd
import shlex
import stat
from collections.abc import Mapping
from typing import Any, NamedTuple

from rdo.config import legacy, plain_text
from rdo.config.document import FILE_LIMIT, ConfigDocument, Origin, arrange, validate
from rdo.config.merge import resolve
from rdo.config.schema import DEFAULT_PROFILE, Settings
from rdo.errors import ConfigError, reason
from rdo.project import LOCAL_CONFIG, upwards
from rdo.util import foreign_file, home

VAGRANTFILES = ("Vagrantfile", "vagrantfile")
"""The names that Vagrant itself looks for."""

FILE_KEYS = ("identity", "ssh_config")
"""Keys that name a local file by a path. Keys for files in the project's own directory have a separate type."""

DOT_LIMIT = 200
"""Dots in one line. The TOML parser takes time proportional to the square of the length of a dotted key."""


class Exposure(NamedTuple):
    """A config file that somebody else can change: `fault` says how; `rights` are its owner and mode."""

    file: str
    fault: str
    rights: str
    hint: str

    @property
    def error(self) -> ConfigError:
        """The error, unless the user has accepted exactly these rights."""
        return Origin(self.file).error(self.fault, f"{self.hint}, or `rdoctl allow` to accept it anyway")


class Config(NamedTuple):
    """What the config files say about a profile.

    `path` is the `.rdo.conf`, `root` its directory; `user_file` need not exist. `files` are those that were read, in
    the order of their layers. `origins` has the origin of each value, by key and by `env.NAME`. `notes` are remarks for
    an explanation, each with file and line. `exposed` are files that others can change: their contents must not be used
    before the user has accepted that (trust/store.py).
    """

    path: str
    root: str
    profile: str
    profiles: tuple[str, ...]
    settings: Settings
    origins: Mapping[str, Origin]
    notes: tuple[str, ...]
    files: tuple[str, ...]
    user_file: str | None
    exposed: tuple[Exposure, ...] = ()

    def require_directory(self) -> str:
        """The directory on the target. Raises ConfigError if the files do not set it."""
        if self.settings.directory is None:
            why = f"profile `{self.profile}` sets no `directory`"
            hint = 'write `directory = "/where/this/directory/is/on/the/target"`, or use `--dir`'
            raise Origin(self.path).error(why, hint)
        return self.settings.directory

    def check_sync_root(self, environment: Mapping[str, str]) -> None:
        """Raise ConfigError if a push would include this caller's home directory, which is not a project."""
        top, owner = os.path.realpath(self.root), os.path.realpath(home.expand("~", environment))
        if self.settings.sync != "no" and os.path.commonpath((owner, top)) == top:
            why = f"`sync` would copy `{self.root}`, which holds your home directory"
            raise self.origins["sync"].error(why, "move the config file into the project's own directory")


def load(path: str, profile: str | None, user_file: str | None, variable: str = "") -> Config:
    """Load the settings of a profile, `default` if None. `path` must exist; `user_file` and the local file need not.
    `variable` is the environment variable that names the profile.

    Raises ConfigError, one line with file and line number, for any error in the files.
    """
    root = os.path.dirname(path)
    optional = [_read_if_there(user_file, personal=True)] if user_file else []
    read = [*optional, _read(path), _read_if_there(os.path.join(root, LOCAL_CONFIG))]
    translations = [legacy.translate(each.document) for each in read if each]
    documents = [validate(translation.document) for translation in translations]
    chosen = DEFAULT_PROFILE if profile is None else profile
    resolution = resolve(documents, chosen, path, find_vagrantfile(root), variable)
    return Config(
        path=path,
        root=root,
        profile=chosen,
        profiles=resolution.profiles,
        settings=_placed(resolution.settings, resolution.origins),
        origins=resolution.origins,
        notes=tuple(note for translation in translations for note in translation.notes),
        files=tuple(document.file for document in documents),
        user_file=user_file,
        exposed=tuple(each.exposure for each in read if each and each.exposure),
    )


def _placed(settings: Settings, origins: Mapping[str, Origin]) -> Settings:
    """The settings with relative file names resolved as their author meant them: relative to the file that has them."""
    found: dict[str, Any] = {}
    for key in FILE_KEYS:
        value = getattr(settings, key)
        if value and not value.startswith(("/", "~/", "%", "${")) and value != "~":
            named = os.path.expanduser(value) if value.startswith("~") else value
            found[key] = os.path.normpath(os.path.join(os.path.dirname(origins[key].file), named))
    return settings._replace(**found)


def find_vagrantfile(directory: str) -> str | None:
    """The Vagrantfile in the directory or its nearest parent that has one, as Vagrant finds it."""
    paths = (os.path.join(place, name) for place in upwards(directory) for name in VAGRANTFILES)
    return next(filter(os.path.isfile, paths), None)


class _Read(NamedTuple):
    """A file that was read."""

    document: ConfigDocument
    exposure: Exposure | None


def _read_if_there(file: str, personal: bool = False) -> _Read | None:
    return _read(file, personal) if os.path.lexists(file) else None


def _read(file: str, personal: bool = False) -> _Read:
    try:
        with foreign_file.open_regular(file) as stream:
            exposure = exposure_of(file, stream.fileno())
            content = foreign_file.rest(stream, FILE_LIMIT)
    except IsADirectoryError:
        raise Origin(file).error("a directory, not a file", "rename or remove it") from None
    except foreign_file.UnsuitableFile as error:
        raise Origin(file).error(reason(error), "a config file should be a short text") from None
    except (OSError, ValueError) as error:
        raise Origin(file).error(
            f"cannot be read: {reason(error)}", "check that it exists and that you can read it"
        ) from None
    return _Read(_document(file, _decode(file, content), personal), exposure)


def _document(file: str, text: str, personal: bool) -> ConfigDocument:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > DOT_LIMIT:
            raise Origin(file, number).error(f"more than {DOT_LIMIT} dots in a line", "split the line")
    if plain := plain_text.read(text):
        return arrange(file, plain, personal)
    from rdo.config import toml  # takes longer to load than everything else done with a file

    try:
        found = toml.read(text)
    except (ValueError, RecursionError) as error:
        from rdo.config import ini

        if ini.looks_like_ini(text):
            return ini.read(file, text, personal)
        raise toml.syntax_error(file, text, error) from None
    return arrange(file, found, personal)


def _decode(file: str, content: bytes) -> str:
    """The text without a byte order mark, and with its lines ended by LF."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        origin = Origin(file, content.count(b"\n", 0, error.start) + 1)
        raise origin.error(f"byte 0x{error.object[error.start]:02x} is not UTF-8", "save it as UTF-8") from None


def exposure_of(file: str, descriptor: int) -> Exposure | None:
    """Whether the file, or a link to it, belongs to neither the user nor root, or can be written by others."""
    info, link = os.fstat(descriptor), os.lstat(file)
    rights = f"uid {info.st_uid}, gid {info.st_gid}, mode {stat.S_IMODE(info.st_mode):04o}"
    if link.st_uid != info.st_uid:
        rights += f", by a link of uid {link.st_uid}"
    for owner, option in ((info.st_uid, ""), (link.st_uid, "-h ")):
        if owner not in (os.geteuid(), 0):
            hint = f"if you trust it, `sudo chown {option}{os.geteuid()} {shlex.quote(file)}`"
            return Exposure(file, f"belongs to another user (uid {owner})", rights, hint)
    if info.st_mode & stat.S_IWOTH:
        return Exposure(file, "can be written by everyone", rights, f"`chmod go-w {shlex.quote(file)}`")
    if info.st_mode & stat.S_IWGRP and not _is_private(info.st_gid, info.st_uid):
        return Exposure(file, "can be written by a group", rights, f"`chmod g-w {shlex.quote(file)}`")
    return None


def _is_private(group: int, user: int) -> bool:
    """Whether it is the user's primary group, has the same name, and no other members: then umask 002 is common."""
    try:
        person, found = pwd.getpwuid(user), grp.getgrgid(group)
    except KeyError:
        return False
    return person.pw_gid == group and found.gr_name == person.pw_name and set(found.gr_mem) <= {person.pw_name}
