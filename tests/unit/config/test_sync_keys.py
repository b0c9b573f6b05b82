"""Tests for the sync keys: which combinations are valid, and that no home directory is pushed."""

from pathlib import Path

import pytest

from rdo.config.load import Config, load
from rdo.errors import ConfigError

SSH = 'host = "a"\n'
PUSH = SSH + 'directory = "/srv"\nsync = "push"\n'


def loaded(directory: Path, text: str, profile: str | None = None) -> Config:
    (directory / ".rdo.conf").write_text(text)
    return load(str(directory / ".rdo.conf"), profile, None)


def test_a_pushed_project_sets_what_is_pulled(tmp_path: Path) -> None:
    text = PUSH + 'pull = ["dist/**"]\ninclude = [".env"]\nexclude = ["a/", "*.o"]\nsync_git = true\n'
    settings = loaded(tmp_path, text).settings
    assert (settings.sync, settings.pull, settings.include) == ("push", ("dist/**",), (".env",))
    assert (settings.exclude, settings.sync_git) == (("a/", "*.o"), True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(SSH + 'sync = "push"\n', "no `directory` is set; write `directory", id="nowhere to push to"),
        pytest.param('driver = "local"\nsync = "push"\n', "no `directory` is set", id="nowhere on this machine"),
        pytest.param(SSH + 'pull = ["a"]\n', "`pull` says what to copy, but `sync` is not set; write `sync", id="pull"),
        pytest.param(SSH + "sync_git = true\n", "`sync_git` says what to copy", id="sync_git alone"),
        pytest.param(
            PUSH.replace("push", "unison") + 'exclude = ["a"]\n', '`exclude` is for `sync = "push"`', id="unison's own"
        ),
        pytest.param(PUSH + 'pull = ["/etc/passwd"]\n', "not relative to the project", id="an absolute pattern"),
        pytest.param(PUSH + 'pull = ["a/../../b"]\n', "leads out of the project", id="a pattern that leads out"),
        pytest.param(PUSH + 'pull = ["~/b"]\n', "not relative to the project", id="a pattern in the home directory"),
        pytest.param(PUSH + 'exclude = ["!a"]\n', "begins with `!`", id="a negation"),
        pytest.param(PUSH + 'pull = ["./"]\n', "names no file", id="the root itself"),
        pytest.param(
            PUSH + 'pull = "dist"\n',
            'not the string `dist`; write `pull = ["dist"]`',
            id="no list",
        ),
        pytest.param(SSH + 'sync = "both"\n', "must be one of", id="an unknown way"),
    ],
)
def test_an_invalid_combination_is_refused_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        loaded(tmp_path, text)
    assert why in str(refusal.value)
    assert str(refusal.value).startswith(f"{tmp_path}/.rdo.conf:")


def test_a_profile_can_disable_the_sync_of_the_others(tmp_path: Path) -> None:
    settings = loaded(tmp_path, PUSH + 'pull = ["dist"]\n[ci]\nsync = "no"\n', "ci").settings
    assert (settings.sync, settings.pull) == ("no", ("dist",))


@pytest.mark.parametrize("below", ["", "home", "home/me"])
def test_no_config_file_can_push_the_callers_home_directory(tmp_path: Path, below: str) -> None:
    (tmp_path / "home" / "me").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "home" / "me")
    environment = {"HOME": str(tmp_path / "link")}
    found = loaded(tmp_path / below, PUSH)
    with pytest.raises(ConfigError, match=r":3: `sync` would copy `.*`, which holds your home directory; move"):
        found.check_sync_root(environment)
    found.check_sync_root({"HOME": "/home of another"})
    (tmp_path / "home" / "me" / "project").mkdir()
    loaded(tmp_path / "home" / "me" / "project", PUSH).check_sync_root(environment)


DOCKER = 'driver = "docker"\nimage = "a"\n'


@pytest.mark.parametrize("text", [f'{DOCKER}pull = "never"\n', f'{DOCKER}pull_image = "never"\n'], ids=["old", "new"])
def test_a_word_under_pull_still_says_when_an_image_is_pulled(tmp_path: Path, text: str) -> None:
    settings = loaded(tmp_path, text).settings
    assert (settings.pull_image, settings.pull) == ("never", ())


def test_in_an_ini_file_too_where_patterns_are_separated_by_blanks(tmp_path: Path) -> None:
    assert loaded(tmp_path, "driver = docker\nimage = a\npull = never\n").settings.pull_image == "never"
    settings = loaded(tmp_path, "host = a\ndirectory = /srv\nsync = push\npull = dist/** a.xml\n").settings
    assert settings.pull == ("dist/**", "a.xml")


def test_a_word_for_images_is_an_error_without_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`pull` is a key of driver `docker`, and the driver here is `ssh`"):
        loaded(tmp_path, PUSH + 'pull = "always"\n')
