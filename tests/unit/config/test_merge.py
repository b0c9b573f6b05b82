"""Tests for which value takes precedence between profiles and files, and for the reported origin of each."""

from pathlib import Path

import pytest

from rdo.config.load import Config, load
from rdo.errors import ConfigError


def load_files(
    directory: Path, text: str, profile: str | None = None, *, user: str | None = None, local: str | None = None
) -> Config:
    (directory / ".rdo.conf").write_text(text)
    if user is not None:
        (directory / "user.toml").write_text(user)
    if local is not None:
        (directory / ".rdo.local.conf").write_text(local)
    return load(str(directory / ".rdo.conf"), profile, str(directory / "user.toml"))


def error_of(directory: Path, text: str, profile: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_files(directory, text, profile)
    return str(caught.value).replace(f"{directory}/", "")


def test_a_key_that_is_not_set_has_its_default(tmp_path: Path) -> None:
    config = load_files(tmp_path, 'host = "devbox"')
    assert config.settings.idle_timeout == 3600
    assert str(config.origins["idle_timeout"]) == "default"


def test_the_config_lists_what_it_was_read_from(tmp_path: Path) -> None:
    config = load_files(tmp_path, 'host = "devbox"\n[box]', user="", local="")
    names = ["user.toml", ".rdo.conf", ".rdo.local.conf"]
    assert config.files == tuple(str(tmp_path / name) for name in names)
    assert (config.root, config.profile, config.profiles) == (str(tmp_path), "default", ("default", "box"))


def test_without_user_file_there_is_only_the_project(tmp_path: Path) -> None:
    (tmp_path / ".rdo.conf").write_text('host = "devbox"')
    assert load(str(tmp_path / ".rdo.conf"), None, None).files == (str(tmp_path / ".rdo.conf"),)


def test_a_later_file_wins(tmp_path: Path) -> None:
    config = load_files(tmp_path, 'host = "b"\nuser = "b"', user='host = "a"\nuser = "a"\nport = 1', local='host = "c"')
    assert (config.settings.host, config.settings.user, config.settings.port) == ("c", "b", 1)
    assert str(config.origins["host"]) == f"{tmp_path}/.rdo.local.conf:1"
    assert str(config.origins["user"]) == f"{tmp_path}/.rdo.conf:2"
    assert str(config.origins["port"]) == f"{tmp_path}/user.toml:3"


def test_a_profile_wins_over_default_whatever_the_file(tmp_path: Path) -> None:
    config = load_files(tmp_path, 'host = "b"', "far", user='[far]\nhost = "a"', local='host = "c"')
    assert config.settings.host == "a"


def test_a_profile_inherits_from_default(tmp_path: Path) -> None:
    config = load_files(tmp_path, 'host = "a"\nlogin = true\n[far]\nhost = "b"', "far")
    assert (config.settings.host, config.settings.login, config.origins["host"].section) == ("b", True, "far")


def test_variables_are_joined_and_lists_are_replaced(tmp_path: Path) -> None:
    text = 'host = "a"\npath = ["a", "b"]\n[env]\nA = "1"\nB = "1"\n[far]\npath = ["c"]\n[far.env]\nB = "2"\nC = "2"'
    config = load_files(tmp_path, text, "far", user='env = { A = "0", Z = "0" }')
    assert dict(config.settings.env) == {"Z": "0", "A": "1", "B": "2", "C": "2"}
    assert config.settings.path == ("c",)
    lines = {name: str(config.origins[f"env.{name}"]).rpartition("/")[2] for name in "ABCZ"}
    assert lines == {"A": ".rdo.conf:4", "B": ".rdo.conf:9", "C": ".rdo.conf:10", "Z": "user.toml:1"}


def test_a_default_table_is_the_same_as_the_top_level(tmp_path: Path) -> None:
    config = load_files(tmp_path, 'login = true\n[default]\nhost = "a"')
    assert (config.settings.host, config.settings.login) == ("a", True)


def test_a_docker_profile_inherits_nothing_meant_for_ssh(tmp_path: Path) -> None:
    text = 'driver = "ssh"\nhost = "a"\nuser = "deploy"\nlogin = true\n[box]\ndriver = "docker"\nimage = "x"'
    settings = load_files(tmp_path, text, "box").settings
    assert (settings.host, settings.user, settings.image, settings.login) == (None, None, "x", True)


def test_what_default_has_for_another_driver_than_its_own_is_inherited(tmp_path: Path) -> None:
    (tmp_path / "Vagrantfile").touch()
    text = 'user = "deploy"\n[staging]\ndriver = "ssh"\nhost = "a"'
    assert load_files(tmp_path, text, "staging").settings.user == "deploy"


def test_the_user_file_may_have_keys_of_all_drivers(tmp_path: Path) -> None:
    user = 'ssh_config = "~/.ssh/work"\nuser = "me"\nauto_up = true'
    settings = load_files(tmp_path, 'driver = "vagrant"', user=user).settings
    assert (settings.ssh_config, settings.user, settings.auto_up) == (None, None, True)
    settings = load_files(tmp_path, 'host = "a"', user=user).settings
    assert (settings.ssh_config, settings.user, settings.auto_up) == ("~/.ssh/work", "me", False)


def test_a_container_in_a_later_file_replaces_an_image(tmp_path: Path) -> None:
    settings = load_files(tmp_path, 'image = "x"', local='container = "y"').settings
    assert (settings.image, settings.container) == (None, "y")


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        pytest.param('host = "a"', "ssh", id="host"),
        pytest.param('container = "a"', "docker", id="container"),
        pytest.param('service = "a"', "docker", id="service"),
        pytest.param('image = "a"', "docker", id="image"),
    ],
)
def test_a_key_implies_the_driver_where_none_is_named(tmp_path: Path, text: str, driver: str) -> None:
    config = load_files(tmp_path, text)
    assert config.settings.driver == driver
    assert str(config.origins["driver"]) == f"{tmp_path}/.rdo.conf:1"


@pytest.mark.parametrize("name", ["Vagrantfile", "vagrantfile"])
def test_a_vagrantfile_above_implies_the_driver(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    config = load_files(tmp_path / "a" / "b", "")
    assert (config.settings.driver, str(config.origins["driver"])) == ("vagrant", str(tmp_path / name))


def test_only_a_driver_that_needs_directory_requires_it(tmp_path: Path) -> None:
    assert load_files(tmp_path, 'host = "a"\ndirectory = "/srv"').require_directory() == "/srv"
    config = load_files(tmp_path, 'host = "a"')
    with pytest.raises(ConfigError) as caught:
        config.require_directory()
    assert str(caught.value) == (
        f"{tmp_path}/.rdo.conf: profile `default` sets no `directory`; "
        'write `directory = "/where/this/directory/is/on/the/target"`, or use `--dir`'
    )


VAGRANT_LINE = (
    ".rdo.conf:1: `host` is a key of driver `ssh`, and the driver here is `vagrant`, because of Vagrantfile; "
    'write `driver = "ssh"`, or remove `host`'
)


def test_a_vagrantfile_and_a_host_leave_nothing_to_guess(tmp_path: Path) -> None:
    (tmp_path / "Vagrantfile").touch()
    assert error_of(tmp_path, 'host = "a"') == VAGRANT_LINE


GAPS = {
    "no driver": (
        "",
        None,
        ": profile `default` sets no driver; write `driver = ...`, one of `ssh`, `vagrant`, `docker`, `local`",
    ),
    "profile": ("[box]", "bos", ": no profile `bos`; did you mean `box`? the profiles are `default`, `box`"),
    "no profiles": ("", "x", ": no profile `x`; the only profile is `default`"),
    "too many profiles": ("".join(f"[box{number}]\n" for number in range(8)), "zzz", ": no profile `zzz`"),
    "no host": (
        'driver = "ssh"',
        None,
        ': profile `default` has driver `ssh`, but no `host`; write `host = "devbox"`',
    ),
    "login directory of a container": (
        'container = "a"\ndirectory = "~/src"',
        None,
        ":2: `directory` is relative to the login directory, but a container has none; write an absolute path",
    ),
    "beside its driver": (
        'driver = "docker"\nimage = "a"\nport = 22',
        None,
        ":3: `port` is a key of driver `ssh`, and the driver here is `docker`; "
        'write `driver = "ssh"`, or remove `port`',
    ),
    "two drivers": (
        'driver = "vagrant"\nuser = "a"',
        None,
        ":2: `user` is a key of driver `ssh` and `docker`, and the driver here is `vagrant`; "
        'write `driver = "ssh"`, or remove `user`',
    ),
    "inherited driver": (
        'host = "a"\n[box]\nimage = "b"',
        "box",
        ":3: `image` is a key of driver `docker`, and the driver here is `ssh`, because `host` is set; "
        'write `driver = "docker"`, or remove `image`',
    ),
}


@pytest.mark.parametrize(("text", "profile", "line"), GAPS.values(), ids=list(GAPS))
def test_a_missing_setting_is_one_line(tmp_path: Path, text: str, profile: str | None, line: str) -> None:
    assert error_of(tmp_path, text, profile) == f".rdo.conf{line}"
