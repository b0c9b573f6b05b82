"""Tests for what a repository may set without permission, what only if the user allows it, and what never."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.config.load import load
from rdo.config.schema import KEYS, ConfigKey
from rdo.config.types import TEXT
from rdo.errors import ConfigError

BASE = 'host = "devbox"\ndirectory = "/srv/app"\n'


def test_what_a_repository_may_set_unasked_is_a_short_list_with_reasons() -> None:
    harmless = {name: key.harmless for name, key in KEYS.items() if not key.guarded}
    assert list(harmless) == ["map_args", "map_output", "idle_timeout", "on_disconnect", "connect_timeout"]
    assert all(reason.count(" ") > 4 for reason in harmless.values())


def test_a_key_without_a_declaration_is_guarded() -> None:
    assert ConfigKey("new", TEXT, "help", '"x"', (), personal=False, harmless="").guarded


@pytest.mark.parametrize("file", [".rdo.conf", ".rdo.local.conf"])
@pytest.mark.parametrize(
    "line",
    [
        'ssh_config = "x"', 'proxy_command = "x"', 'ProxyCommand = "x"', 'known_hosts = "/dev/null"',
        'docker_host = "tcp://evil"', 'endpoint = "x"', 'context = "x"', 'flags = "-oProxyCommand=x"',
        'flags = "-F x"', 'flags = "-J -oProxyCommand=x"', 'jump = "-oProxyCommand=x"', 'jump = "a,-oProxyCommand=x"',
        'jump = "ssh://-oProxyCommand=x"', 'jump = "-oProxyCommand=x@a"', 'jump = "a b"', 'jump = "a;b"',
        'jump = "`x`"', 'jump = "$(x)"', 'jump = "a\\nb"', 'host = "-oProxyCommand=x"', 'user = "-oProxyCommand=x"',
    ],
)  # fmt: skip
def test_no_key_of_a_repository_sets_how_ssh_or_docker_are_reached(tmp_path: Path, file: str, line: str) -> None:
    (tmp_path / ".rdo.conf").write_text(BASE if file != ".rdo.conf" or "host" not in line else 'directory = "/x"\n')
    with open(tmp_path / file, "a") as config:
        config.write(line + "\n")
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path / ".rdo.conf"), None, None)
    assert str(caught.value).startswith(f"{tmp_path}/{file}:")
