"""Tests for INI files: those of the first rdo, read unchanged, and the errors about invalid ones."""

from pathlib import Path

import pytest

from rdo.config.ini import looks_like_ini
from rdo.config.load import Config, load
from rdo.errors import ConfigError


def load_text(directory: Path, text: str, profile: str | None = None) -> Config:
    (directory / ".rdo.conf").write_text(text)
    return load(str(directory / ".rdo.conf"), profile, None)


def given(config: Config) -> dict[str, object]:
    """The settings that the files contain."""
    return {key: getattr(config.settings, key) for key in config.settings._fields if config.origins[key].line}


def error_of(directory: Path, text: str, profile: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_text(directory, text, profile)
    return str(caught.value).removeprefix(f"{directory}/.rdo.conf")


SSH = """\
[default]
driver = ssh
ssh = /usr/bin/ssh
user = deploy
host = devbox.example.com
directory = /srv/myapp
ident = ~/.ssh/id_dev
flags = -p 2222
"""


@pytest.mark.parametrize("header", ["", "[default]\n"], ids=["bare", "with default"])
def test_the_vagrant_file_of_the_first_rdo(tmp_path: Path, header: str) -> None:
    config = load_text(tmp_path, f"{header}driver = vagrant\ndirectory = /vagrant\n")
    assert given(config) == {"driver": "vagrant", "directory": "/vagrant"}


def test_the_ssh_file_of_the_first_rdo(tmp_path: Path) -> None:
    config = load_text(tmp_path, SSH)
    assert given(config) == {
        "driver": "ssh",
        "directory": "/srv/myapp",
        "host": "devbox.example.com",
        "user": "deploy",
        "port": 2222,
        "identity": "~/.ssh/id_dev",
    }
    assert config.notes == (
        f"{tmp_path}/.rdo.conf:3: `ssh = /usr/bin/ssh` is ignored: rdo no longer needs that program",
    )


@pytest.mark.parametrize(
    ("text", "profile", "key"),
    [
        pytest.param("name = ubuntu", "default", "image", id="name alone"),
        pytest.param("name = ubuntu\nexec = true", "default", "container", id="exec"),
        pytest.param("exec = on\nname = ubuntu", "default", "container", id="exec first"),
        pytest.param("name = ubuntu\nexec = false", "default", "image", id="no exec"),
        pytest.param("exec = yes\n[box]\nname = ubuntu", "box", "container", id="exec of default"),
        pytest.param("exec = yes\nname = other\n[box]\nname = ubuntu\nexec = 0", "box", "image", id="own exec"),
        pytest.param("name = ubuntu\n[box]\nexec = 1", "box", "container", id="name of default"),
        pytest.param("name = other\n[box]\nimage = ubuntu", "box", "image", id="a key of today"),
    ],
)
def test_name_and_exec_say_which_container(tmp_path: Path, text: str, profile: str, key: str) -> None:
    config = load_text(tmp_path, f"driver = docker\n{text}\n", profile)
    assert given(config) == {"driver": "docker", key: "ubuntu"}


@pytest.mark.parametrize("separator", ["", " "], ids=["together", "apart"])
def test_flags_become_keys(tmp_path: Path, separator: str) -> None:
    values = {"-p": 22, "-l": "me", "-i": "k", "-J": "g"}
    flags = " ".join(f"{flag}{separator}{value}" for flag, value in values.items())
    settings = load_text(tmp_path, f"host = a\nflags = {flags}\n").settings
    assert (settings.port, settings.user, settings.identity, settings.jump) == (22, "me", str(tmp_path / "k"), "g")


def test_old_keys_are_read_in_toml_as_well(tmp_path: Path) -> None:
    settings = load_text(tmp_path, 'host = "a"\nident = "k"\nflags = "-p 22"').settings
    assert (settings.identity, settings.port) == (str(tmp_path / "k"), 22)


MIXED = """\
; a comment
# another
Driver: docker ; the driver
name = web  # the container
exec = Yes
use_sudo = ON
map_args = off
idle_timeout = 8h
connect_timeout = 30
pass_env = LANG, LC_* EDITOR
directory = "/srv/my app" # quoted

[env]
Mode = a = b
PORT = 8080

[far.stage]
driver = ssh
host = 10.0.0.1
[far.stage.env]
PORT = '80' ; quoted
"""


def test_current_keys_accept_bare_values(tmp_path: Path) -> None:
    config = load_text(tmp_path, MIXED)
    assert given(config) == {
        "driver": "docker",
        "container": "web",
        "use_sudo": True,
        "map_args": False,
        "idle_timeout": 28800,
        "connect_timeout": 30,
        "pass_env": ("LANG", "LC_*", "EDITOR"),
        "directory": "/srv/my app",
        "env": {"Mode": "a = b", "PORT": "8080"},
    }
    assert (config.origins["directory"].line, config.origins["env.PORT"].line) == (11, 15)


def test_other_sections_are_profiles(tmp_path: Path) -> None:
    config = load_text(tmp_path, MIXED, "far.stage")
    assert (config.settings.host, config.settings.container, config.settings.use_sudo) == ("10.0.0.1", None, True)
    assert (dict(config.settings.env), config.origins["env.PORT"].line) == ({"Mode": "a = b", "PORT": "80"}, 21)
    assert config.profiles == ("default", "far.stage")


CONTAINER = "write `container = NAME` for a running container, `image = NAME` for a new one"


SLIPS = {
    "=": ("driver = ssh\ndirectory\nhost = a", ":2: `directory` has no `=`; write `directory = VALUE`"),
    "no key": ("driver = ssh\n= a", ":2: `= a` names no key; write `KEY = VALUE`"),
    "open header": ("driver = ssh\n[box", ":2: `[box` is not a section name; write `[NAME]`"),
    "empty header": ("driver = ssh\n[ ]", ":2: `[ ]` is not a section name; write `[NAME]`"),
    "section twice": ("driver = ssh\n[a]\n[b]\n[a]", ":4: a second `[a]`; put its keys under the first"),
    "variable": ("host = a\n[env]\nA = b\nA = c", ":4: a second `A` in `env`; the first is in line 3"),
    "key twice": (
        "host = a\nHost = b",
        ":2: `host` is a second `host` for profile `default`; the first is `host` in line 1",
    ),
    "value": (
        "host = a\nport = x",
        ":2: `port` must be a number from 1 to 65535, not the string `x`; as in `port = 2222`",
    ),
    "flag": (
        "host = a\nuse_sudo = maybe",
        ":2: `use_sudo` must be true or false, not the string `maybe`; as in `use_sudo = true`",
    ),
    "empty": ("host =\nuser = x", ':1: `host` is empty; as in `host = "devbox"`'),
    "driver": (
        "driver = shh",
        ":1: `driver` must be one of `ssh`, `vagrant`, `docker`, `local`, not the string `shh`; did you mean `ssh`?",
    ),
    "section": ("host = a\n[user]\n", ": `user` is a key and cannot name a profile; rename the profile"),
    "flag -A": (
        "host = a\nflags = -A",
        ":2: `flags` contains `-A`, which rdo does not support; set `ForwardAgent yes` for the host in ~/.ssh/config",
    ),
    "flag -q": (
        "host = a\nflags = -q",
        ":2: `flags` contains `-q`, which rdo does not support; set its meaning in ~/.ssh/config",
    ),
    "host in flags": (
        "host = a\nflags = box",
        ':2: `flags` contains `box`, which rdo does not support; write `host = "box"`',
    ),
    "long host in flags": (
        f"host = a\nflags = {'x' * 41}",
        f":2: `flags` contains `{'x' * 40}...`, which rdo does not support; the host has its own key",
    ),
    "-p": ("host = a\nflags = -p", ":2: `flags` ends with `-p`, which needs a value; or set `port`"),
    "port in flags": (
        "host = a\nflags = -p x",
        ":2: `flags -p` must be a number from 1 to 65535, not the string `x`; as in `port = 2222`",
    ),
    "quote": ("host = a\nflags = -i 'k", ":2: `flags` has an unclosed quote; close it"),
    "two ports": (
        "host = a\nport = 1\nflags = -p 2",
        ":3: `flags -p` is a second `port` for profile `default`; the first is `port` in line 2",
    ),
    "two identities": (
        "host = a\nident = k\nflags = -i l",
        ":3: `flags -i` is a second `identity` for profile `default`; the first is `ident` in line 2",
    ),
    "TOML": ('host = "a"\nflags = 1', ":2: `flags` must be a string, not the number `1`; quote it"),
    "ssh as list": ('host = "a"\nssh = []', ":2: `ssh` must be a string, not a list; quote it"),
    "exec alone": (
        "driver = docker\nexec = true",
        f":2: `exec` describes the container in `name`, which is missing; {CONTAINER}",
    ),
    "exec value": (
        "driver = docker\nname = a\nexec = x",
        f":3: `exec` must be true or false, not the string `x`; {CONTAINER}",
    ),
    "name and image": (
        "driver = docker\nname = a\nimage = b",
        ":3: `image` is a second `image` for profile `default`; the first is `name` in line 2",
    ),
}


@pytest.mark.parametrize(("text", "line"), SLIPS.values(), ids=list(SLIPS))
def test_an_error_is_one_line_with_its_location(tmp_path: Path, text: str, line: str) -> None:
    assert error_of(tmp_path, text) == line


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("driver = ssh\nhost", True, id="bare values"),
        pytest.param("; host", True, id="semicolon"),
        pytest.param("host: devbox", True, id="colon"),
        pytest.param("flags = -p 22", True, id="option"),
        pytest.param("a = b\nc = d\ne = 'f'", True, id="mostly bare"),
        pytest.param('driver = "ssh"\nhost = devbox', False, id="half and half"),
        pytest.param('driver = "ssh"\nhost = devbox\nuser = "me"', False, id="one bare value"),
        pytest.param('a = b\npath = [\n"x",\n]', False, id="list over lines"),
        pytest.param("[[box]]", False, id="list of tables"),
        pytest.param("host = devbox'", False, id="half a string"),
        pytest.param("port = 22\nlogin = true\n[box]\n# a = b\na =\nb", False, id="nothing to tell by"),
    ],
)
def test_a_file_that_looks_like_ini_gets_an_ini_error(text: str, meant: bool) -> None:
    assert looks_like_ini(text) is meant
