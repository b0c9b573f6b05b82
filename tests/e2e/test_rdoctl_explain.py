"""Tests for `rdoctl explain`: the result of a command, without connecting and without showing secrets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.e2e.project import Project, local_project

CONFIG = """\
path = ["venv/bin"]
env = { STAGE = "dev" }
pass_env = ["SECRET_*"]
[more]
use_sudo = true
"""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime, CONFIG)


def explain(project: Project, words: str, **environment: str) -> str:
    """The output of `rdoctl explain WORDS` in the directory `src`."""
    given = "".join(f"{name}={value} " for name, value in environment.items())
    result = project.shell(f"cd src && {given}rdoctl explain {words}")
    assert (result.returncode, result.stderr) == (0, b"")
    return result.stdout.decode()


def test_each_setting_is_shown_with_file_and_line(project: Project) -> None:
    (project.local / ".rdo.local.conf").write_text("# mine\nlogin = true\n")
    lines = [line.split() for line in explain(project, "true").splitlines()]
    assert ["env.STAGE", "=", '"dev"', *f"{project.local}/.rdo.conf:4".split()] in lines
    assert ["login", "=", "true", *f"{project.local}/.rdo.local.conf:2".split()] in lines
    assert ["default", "(others:", "more)"] in lines
    assert "idle_timeout" not in [line[0] for line in lines]


def test_directories_and_rewritten_arguments_are_shown_with_the_reason(project: Project) -> None:
    text = explain(project, f"cp '{project.local}/a' plain")
    assert f"  here   {project.local}/src\n  there  {project.remote}/src\n" in text
    assert f"\n  {project.local}/a  ->  {project.remote}/a  ({project.local} is {project.remote} there)\n" in text
    assert "\n  plain\n" in text
    assert f"({project.local}" not in explain(project, f"--no-map cp '{project.local}/a' plain")


def test_it_shows_whether_paths_in_output_are_mapped(project: Project) -> None:
    assert "\nPaths in output\n  left as they are\n" in explain(project, "true")
    mapped = f"\nPaths in output\n  {project.remote}  ->  {project.local}\n"
    assert mapped in explain(project, "-m true")
    (project.local / ".rdo.local.conf").write_text("map_output = true\n")
    assert mapped in explain(project, "true")
    assert "left as they are" in explain(project, "--no-map-output true")


def test_arguments_are_parsed_as_by_rdo(project: Project) -> None:
    assert "\n  -x\n" in explain(project, "-p more -- -x --help")
    assert "\n  --help\n" in explain(project, "make --help")
    assert "\n  /bin/sh -c 'echo \"$0\"'\n  name\n" in explain(project, "-c 'echo \"$0\"' name")
    assert "\n  (with sudo)\n" in explain(project, "-s true")
    assert "\n  (on a terminal of its own)\n" in explain(project, "-t true")
    assert "  none: a login shell\n" in explain(project, "")
    assert "  there  elsewhere\n" in explain(project, "--dir elsewhere true")
    assert f"  here   {project.local}\n" in explain(project, "-C .. true")
    assert explain(project, "--help").startswith("Usage: rdoctl explain ")


def test_variables_are_named_and_no_value_from_the_environment_is_shown(project: Project) -> None:
    text = explain(project, "-v -t -e GIVEN=hush -e TAKEN true", SECRET_KEY="hush", TAKEN="hush", TERM="hush")
    assert "hush" not in text
    for line in ("STAGE=dev", "SECRET_KEY (from your environment)", "TAKEN (from your environment)", "GIVEN (from -e)"):
        assert f"\n  {line}\n" in text
    assert f"\n  PATH begins with {project.remote}/venv/bin\n" in text
    assert "export SECRET_KEY='(from your environment)'" in text


def test_the_script_is_that_of_the_target(project: Project) -> None:
    script = explain(project, "-v printf '%s\\n' \"it's\"").splitlines()[-1]
    assert "; set -- printf '%s\\n' 'it'\\''s'; " in script
    assert script.endswith('exec "$@" </dev/null')  # which is the stdin here


def test_nothing_is_started_and_nothing_connected(project: Project) -> None:
    explain(project, "true")
    assert json.loads(project.shell("rdoctl status --json").stdout) == []


def test_names_cannot_control_the_terminal(project: Project) -> None:
    assert "\x1b" not in explain(project, "$'a\\e[31m\\nb'")


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        ("--nonsense", 2, "unknown option `--nonsense`; see `rdo --help`"),
        ("-p nonsense true", 255, "no profile `nonsense`"),
        ("-C / true", 255, "no `.rdo.conf` in `/` or any directory above; `rdoctl init` writes one"),
    ],
)
def test_what_rdo_would_refuse_is_refused_with_the_same_message(
    project: Project, words: str, status: int, complaint: str
) -> None:
    result = project.shell(f"rdoctl explain {words}")
    assert result.returncode == status
    assert result.stderr.startswith(b"rdoctl: ")
    assert complaint in result.stderr.decode()
    assert project.shell(f"rdo {words}").stderr == result.stderr.replace(b"rdoctl: ", b"rdo: ", 1)


def test_a_note_names_keys_that_are_no_longer_needed(project: Project) -> None:
    project.configure('driver = "local"\nssh = "/usr/bin/ssh"\n')
    assert "rdo no longer needs that program" in explain(project, "true")


def test_variables_of_the_ssh_configuration_are_named_without_their_values(project: Project, tmp_path: Path) -> None:
    ssh_config = tmp_path / "ssh_config"
    ssh_config.write_text("Host devbox\n  SendEnv SENT\n  SetEnv SET=hush\n")
    project.configure('driver = "ssh"\nhost = "devbox"\nuser = "me"\nport = 2222\ndirectory = "/srv"\n')
    text = explain(project, "true", SENT="hush", RDO_SSH_CONFIG=str(ssh_config))
    assert "\n  me@devbox:2222, by driver ssh\n" in text
    assert "hush" not in text
    assert "\n  SENT  (from your environment)\n" in text
    assert "\n  SET   (from the ssh configuration)\n" in text
    assert "\n  BindInterface" not in text


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ('driver = "ssh"\nhost = "devbox"\n', "what the command listens on, while it does"),
        ('driver = "local"\n', "nothing"),
    ],
    ids=["ssh", "local"],
)
def test_automatically_forwarded_ports_are_shown(project: Project, tmp_path: Path, config: str, what: str) -> None:
    (tmp_path / "ssh_config").touch()
    project.configure(f'{config}directory = "/srv"\nauto_forward = true\n')
    text = explain(project, "make", RDO_SSH_CONFIG=str(tmp_path / "ssh_config"))
    assert f"Ports\n  {what}  by the key `auto_forward`\n" in text


def test_ports_are_listed_with_their_origin(project: Project, tmp_path: Path) -> None:
    assert "Ports\n" not in explain(project, "make")
    ssh_config = tmp_path / "ssh_config"
    ssh_config.write_text("LocalForward 3001 db:80\nRemoteForward 4000 localhost:4001\n")
    project.configure('host = "devbox"\ndirectory = "/srv"\nforward = ["3000", "unix:/run/docker.sock"]\n')
    text = explain(project, "-L 5000 -D 1080 -R 0:6000 make", RDO_SSH_CONFIG=str(ssh_config))
    rows = [" ".join(line.split()) for line in text.partition("Ports\n")[2].splitlines() if " -> " in line]
    assert rows[:5] == [
        "localhost:5000 -> devbox:5000 while the command runs",
        "localhost:1080 -> devbox (SOCKS) while the command runs",
        "devbox:0 -> localhost:6000 while the command runs",
        "localhost:3000 -> devbox:3000 while the target is connected, by the key `forward`",
        "a socket of rdo's own -> devbox:/run/docker.sock while the target is connected, by the key `forward`",
    ]
    assert rows[5:] == [
        "localhost:3001 -> db:80 by devbox while the target is connected, by the ssh configuration",
        "devbox:4000 -> localhost:4001 while the target is connected, by the ssh configuration",
    ]


def test_options_of_ssh_that_have_no_effect_or_forbid_a_connection_are_named(project: Project, tmp_path: Path) -> None:
    ssh_config = tmp_path / "ssh_config"
    ssh_config.write_text("Host devbox\n  ForwardX11 yes\n  BindInterface lo\n")
    project.configure('driver = "ssh"\nhost = "devbox"\ndirectory = "/srv"\n')
    text = explain(project, "true", RDO_SSH_CONFIG=str(ssh_config))
    assert "Options of the ssh configuration without effect\n" in text
    assert "\n  ForwardX11 yes: rdo does not forward X11\n" in text
    assert "that forbid a connection\n  BindInterface lo: rdo cannot choose an interface: set BindAddress\n" in text


@pytest.mark.parametrize(("line", "named"), [("", []), ("RequestTTY no", ["RequestTTY false: "])], ids=["unset", "no"])
def test_a_requested_terminal_is_shown_only_if_the_user_configured_it(
    project: Project, tmp_path: Path, line: str, named: list[str]
) -> None:
    ssh_config = tmp_path / "ssh_config"
    ssh_config.write_text(f"Host devbox\n  {line}\n")
    project.configure('driver = "ssh"\nhost = "devbox"\ndirectory = "/srv"\n')
    text = explain(project, "true", RDO_SSH_CONFIG=str(ssh_config))
    assert re.findall("RequestTTY [a-z]+: ", text) == named


def test_the_script_is_shown_with_details(project: Project) -> None:
    title = "Script for the target's /bin/sh"
    assert title not in explain(project, "true")
    assert title in explain(project, "-v true")


@pytest.mark.parametrize(
    ("config", "browser", "what"),
    [
        ('open_browser = "yes"', "cat", "are opened here  and shown  by `cat`"),
        ('open_browser = "yes"', "/missing", "are opened here  and shown  "),
        ('open_browser = "ask"', "cat", "are not opened here: there is no terminal to ask on"),
        ('open_browser = "ask"\ndriver = "local"', "cat", "are opened by the command itself, on this machine"),
    ],
)
def test_the_handling_of_urls_is_shown_if_enabled(
    project: Project, tmp_path: Path, config: str, browser: str, what: str
) -> None:
    driver = "" if "driver" in config else 'driver = "ssh"\nhost = "devbox"\n'
    (tmp_path / "ssh_config").touch()
    project.configure(f'{driver}directory = "/srv"\n{config}\n')
    text = explain(project, "make", RDO_SSH_CONFIG=str(tmp_path / "ssh_config"), BROWSER=browser)
    assert f"\nURLs that the command opens\n  {what}" in text


def test_an_error_follows_the_output_before_it(project: Project) -> None:
    (project.local / ".rdo.conf").chmod(0o666)
    done = project.shell("rdoctl explain true 2>&1")
    first, *_, last = done.stdout.decode().splitlines()
    assert (done.returncode, first) == (255, "Config files, later ones win")
    assert last.startswith(f"rdoctl: {project.local}/.rdo.conf: can be written by everyone; ")


def test_a_long_value_does_not_shift_other_settings(project: Project) -> None:
    (project.local / ".rdo.local.conf").write_text(f'env = {{ LONG = "{"x" * 3000}" }}\n')
    shown = explain(project, "true").splitlines()
    assert {len(line) > 3000 for line in shown if "LONG" in line} == {True}
    assert max(len(line) for line in shown if "LONG" not in line) < 500


def test_an_invalid_ssh_configuration_is_reported_with_the_command_that_shows_it(
    project: Project, tmp_path: Path
) -> None:
    config = tmp_path / "my ssh_config"
    config.write_text("Hots devbox\n")
    project.configure('driver = "ssh"\nhost = "devbox"\nport = 2222\ndirectory = "/srv"\n')
    done = project.shell(f"RDO_SSH_CONFIG='{config}' rdoctl explain true")
    command = re.findall("try `(.*)`$", done.stderr.decode())
    assert command == [f"ssh -G -F '{config}' -p 2222 -- devbox"]
    assert b"Bad configuration option: hots" in project.shell(command[0]).stderr
