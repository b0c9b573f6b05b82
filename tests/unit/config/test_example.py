"""Checks that `.rdo.conf.example` is complete, and valid both as it is and with every key enabled."""

import re
from pathlib import Path

import pytest

from rdo.config.load import Config, load
from rdo.config.merge import PUSH_KEYS
from rdo.config.schema import CONTAINERS
from rdo.config.schema import KEYS as ALL_KEYS

KEYS = {name: key for name, key in ALL_KEYS.items() if key.help}
EXAMPLE = (Path(__file__).parents[3] / ".rdo.conf.example").read_text()
UNCOMMENTED = re.sub(r"(?m)^#(?=[a-z\[])", "", EXAMPLE)


def load_text(directory: Path, text: str, profile: str | None = None) -> Config:
    (directory / ".rdo.conf").write_text(text)
    return load(str(directory / ".rdo.conf"), profile, None)


def test_it_loads_as_it_is(tmp_path: Path) -> None:
    config = load_text(tmp_path, EXAMPLE)
    assert (config.settings.driver, config.settings.host, config.require_directory()) == ("ssh", "devbox", "/srv/myapp")


@pytest.mark.parametrize("key", list(KEYS))
def test_it_shows_every_key(key: str) -> None:
    assert re.search(rf"(?m)^(#| #|# )?{key} = ", EXAMPLE)


@pytest.mark.parametrize(
    ("profile", "driver"),
    [
        ("default", "ssh"),
        ("vm", "vagrant"),
        ("box", "docker"),
        ("compose", "docker"),
        ("tools", "docker"),
        ("here", "local"),
    ],
)
def test_every_group_loads_uncommented(tmp_path: Path, profile: str, driver: str) -> None:
    assert load_text(tmp_path, UNCOMMENTED, profile).settings.driver == driver


def test_it_loads_as_a_user_file(tmp_path: Path) -> None:
    (tmp_path / ".rdo.conf").touch()
    (tmp_path / "config.toml").write_text(UNCOMMENTED.replace("# ssh_config", "ssh_config"))
    settings = load(str(tmp_path / ".rdo.conf"), None, str(tmp_path / "config.toml")).settings
    assert settings.ssh_config == "~/.ssh/work_config"


@pytest.mark.parametrize("key", list(KEYS))
def test_the_example_of_every_key_is_a_valid_value(tmp_path: Path, key: str) -> None:
    about = KEYS[key]
    driver = about.drivers[0] if about.drivers else "ssh"
    written = {"driver": f'"{driver}"', **({"host": '"a"'} if driver == "ssh" else {}), key: about.example}
    if key in (*PUSH_KEYS, "sync"):
        written |= {"sync": '"push"', "directory": '"/srv"'}
    if driver == "docker" and key not in CONTAINERS:
        written["image"] = '"a"'
    (tmp_path / ".rdo.conf").touch()
    (tmp_path / "config.toml").write_text("".join(f"{name} = {value}\n" for name, value in written.items()))
    config = load(str(tmp_path / ".rdo.conf"), None, str(tmp_path / "config.toml"))
    assert config.origins[key].line
    assert about.help
