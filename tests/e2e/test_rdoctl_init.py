"""Tests for `rdoctl init`: a .rdo.conf from the files in the directory, from options, or from answers on a terminal."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from rdo.config import load
from rdo.config.schema import Settings
from tests.e2e.project import Project, make_project
from tests.e2e.terminal import Terminal

COMPOSE = "services:\n  web:\n    image: nginx\n"


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project without a config file, of a user whose ssh configuration names two hosts."""
    (tmp_path / "ssh_config").write_text("Host devbox gate *.example.com\n")
    return make_project(tmp_path, {**runtime, "RDO_SSH_CONFIG": str(tmp_path / "ssh_config")})


def init(project: Project, options: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run `rdoctl init` without a terminal."""
    return project.shell(f"rdoctl init {options}")


def settings(project: Project) -> Settings:
    """The settings in the file that was written."""
    return load.load(str(project.local / ".rdo.conf"), None, None).settings


def test_options_are_enough_without_a_terminal(project: Project) -> None:
    result = init(project, "--host devbox --user me --port 2222 --directory /srv/app")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode().splitlines() == [
        "wrote .rdo.conf: driver ssh, host devbox, user me, port 2222, directory /srv/app",
        "next:",
        "  rdoctl doctor",
        "  rdo pwd",
    ]
    found = settings(project)
    assert (found.driver, found.host, found.user, found.port, found.directory) == (
        "ssh", "devbox", "me", 2222, "/srv/app",
    )  # fmt: skip
    assert (project.local / ".rdo.conf").stat().st_mode & 0o777 == 0o644


def test_the_written_file_works(project: Project) -> None:
    init(project, f'--driver local --directory "{project.remote}"')
    assert project.run("pwd").stdout.decode() == f"{project.remote}\n"


def test_an_existing_file_is_never_overwritten(project: Project) -> None:
    project.configure("mine")
    result = init(project, "--host devbox --directory /srv")
    assert result.returncode == 255
    assert result.stderr == b"rdoctl: there is a `.rdo.conf` here already; edit it, or move it out of the way first\n"
    assert (project.local / ".rdo.conf").read_text() == "mine"


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ({"Vagrantfile": ""}, "", {"driver": "vagrant"}),
        ({"Vagrantfile": 'c.vm.define "a"\nc.vm.define "b"'}, "--machine b", {"driver": "vagrant", "machine": "b"}),
        ({"compose.yaml": COMPOSE}, "", {"driver": "docker", "service": "web"}),
        ({"docker-compose.yml": COMPOSE + "  db:\n"}, "--service db", {"driver": "docker", "service": "db"}),
        ({"compose.yml": COMPOSE}, "--container box", {"driver": "docker", "container": "box"}),
        ({"Dockerfile": "WORKDIR /app\n"}, "--image app", {"image": "app", "directory": "/app"}),
        ({"Dockerfile": ""}, "--image app", {"image": "app", "directory": "/src"}),
        ({"Dockerfile": ""}, "", {"build": ".", "directory": "/src"}),
        (
            {"Dockerfile": "WORKDIR /app\n", "dev.Dockerfile": ""},
            "--dockerfile dev.Dockerfile",
            {"build": ".", "dockerfile": "dev.Dockerfile"},
        ),
        ({"compose.yaml": "x: &x {image: a}\nservices:\n  web: *x\n"}, "", {"service": "web"}),
        ({"compose.yaml": COMPOSE, "Dockerfile": ""}, "--from Dockerfile", {"build": "."}),
        ({".devcontainer.json": '{"image": "py", // x\n}'}, "", {"driver": "docker", "image": "py"}),
        ({"Vagrantfile": "", "compose.yaml": COMPOSE}, "--driver docker", {"service": "web"}),
        ({"Vagrantfile": ""}, "--host devbox --directory /srv", {"driver": "ssh", "host": "devbox"}),
    ],
)
def test_the_directory_suggests_the_driver(
    project: Project, files: dict[str, str], options: str, expected: dict[str, str]
) -> None:
    for name, text in files.items():
        (project.local / name).write_text(text)
    result = init(project, options)
    assert (result.returncode, result.stderr) == (0, b"")
    found = settings(project)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("files", "options", "complaint"),
    [
        (
            {},
            "",
            "`--driver` is missing: there is no Vagrantfile, compose file, Dockerfile or devcontainer.json here, and "
            "there is no terminal to ask on; use `--host` (~/.ssh/config names `devbox`, `gate`), `--container`, ",
        ),
        ({}, "--driver ssh", "`--host` is missing: driver `ssh` needs it; ~/.ssh/config names `devbox`, `gate`, and "),
        ({"compose.yaml": COMPOSE}, "--from Vagrantfile", "`Vagrantfile` does not say where commands run; files that "),
        ({}, "--host devbox", "`--directory` is missing: "),
        (
            {"compose.yaml": COMPOSE + "  db:\n"},
            "",
            "`--service` is missing: compose.yaml names `web`, `db`, and there is no terminal to ask on; as in "
            "`--service web`",
        ),
        (
            {"Vagrantfile": "", "compose.yaml": COMPOSE},
            "",
            "`--driver` is missing: there are Vagrantfile (vagrant) and ",
        ),
        ({}, "--driver docker", "`--container` is missing: "),
        ({}, "--host=-oProxyCommand=x --directory /x", "`--host` begins with `-`"),
        ({}, "--port 99999 --host x --directory /x", "`--port` must be a number from 1 to 65535"),
        (
            {},
            "--driver local --host x",
            "`--host` is not for driver `local`: only for `ssh`; leave it out, or change `--driver`",
        ),
        ({}, "--image x --service y", "`--service`, `--image` cannot be used together; use one of them"),
        ({}, "--host x --machine y", "`--host`, `--machine` belong to several drivers; "),
    ],
)
def test_a_missing_or_wrong_answer_is_one_line_and_nothing_is_written(
    project: Project, files: dict[str, str], options: str, complaint: str
) -> None:
    for name, text in files.items():
        (project.local / name).write_text(text)
    result = init(project, options)
    assert (result.returncode, result.stdout) == (255, b"")
    assert result.stderr.decode().startswith(f"rdoctl: {complaint}")
    assert result.stderr.count(b"\n") == 1
    assert not (project.local / ".rdo.conf").exists()


def test_on_a_terminal_it_asks_until_the_answer_is_good(project: Project) -> None:
    with Terminal(["rdoctl", "init"], project.local, project.environment) as terminal:
        terminal.expect("Where do the commands of this directory run?")
        terminal.expect("docker   a container, a service of a compose file, or an image")
        terminal.expect("driver (ssh, vagrant, docker, local): ")
        terminal.line("shh")
        terminal.expect("driver (ssh, vagrant, docker, local): ")
        terminal.line("ssh")
        terminal.expect("~/.ssh/config names `devbox`, `gate`")
        terminal.expect("(such as devbox): ")
        terminal.line("-x")
        terminal.expect("begins with `-`")
        terminal.expect("(such as devbox): ")
        terminal.line("devbox")
        terminal.expect("(such as /srv/myapp): ")
        terminal.line("/srv/app")
        terminal.expect("rdoctl doctor")
    assert (settings(project).host, settings(project).directory) == ("devbox", "/srv/app")


def test_ctrl_c_at_a_question_writes_nothing(project: Project) -> None:
    with Terminal(["bash", "-c", "rdoctl init; echo status $?"], project.local, project.environment) as terminal:
        terminal.expect("driver (ssh, vagrant, docker, local): ")
        terminal.type("\x03")
        terminal.match(r"\^C")
    assert not (project.local / ".rdo.conf").exists()


def test_an_unusable_file_is_named_and_the_next_one_used(project: Project) -> None:
    (project.local / "compose.yaml").write_text("services:\n\t- x\n")
    (project.local / "Dockerfile").write_text("FROM x\n")
    result = init(project)
    assert result.returncode == 0
    assert result.stderr.decode().startswith(
        "rdoctl: `compose.yaml` cannot be used: `compose.yaml` is not valid YAML: "
    )
    assert settings(project).build == "."


def test_an_unusable_file_is_not_reported_as_missing(project: Project) -> None:
    (project.local / "compose.yaml").write_text("services:\n\t- x\n")
    last = init(project).stderr.decode().splitlines()[-1]
    assert last.startswith("rdoctl: `--driver` is missing: no other file here says where commands run, and ")


def test_each_of_several_devcontainers_can_be_chosen(project: Project) -> None:
    for name in ("a", "b"):
        (project.local / f".devcontainer/{name}").mkdir(parents=True)
        (project.local / f".devcontainer/{name}/devcontainer.json").write_text(f'{{"image": "{name}"}}')
    assert init(project).stderr.startswith(
        b"rdoctl: `--from` is missing: there are `.devcontainer/a/devcontainer.json`, "
    )
    assert init(project, "--from .devcontainer/b/devcontainer.json").returncode == 0
    assert settings(project).image == "b"


PORTS = {
    "image": "py",
    "forwardPorts": [3000, "db:5432"],
    "portsAttributes": {"3000": {"label": "app\nhost = 1", "requireLocalPort": True, "onAutoForward": "openBrowser"}},
}


def test_ports_of_a_devcontainer_are_forwarded_with_their_labels_in_a_comment(project: Project) -> None:
    (project.local / ".devcontainer.json").write_text(json.dumps(PORTS))
    assert b", forward 3000! db:5432\n" in init(project).stdout
    assert settings(project).forward == ("3000!", "db:5432")
    text = (project.local / ".rdo.conf").read_text()
    assert "as with ssh -L: 3000 is app\\x0ahost = 1\n" in text
    assert "#  portsAttributes.3000.onAutoForward: `rdoctl open 3000` opens it\n" in text


@pytest.mark.parametrize(("host", "forward"), [("unix:///nowhere", ()), ("ssh://box", ("8080:80",))])
def test_ports_that_a_service_publishes_on_another_machine_are_forwarded(
    project: Project, host: str, forward: tuple[str, ...]
) -> None:
    (project.local / "compose.yaml").write_text(COMPOSE + "    ports: ['8080:80']\n  db:\n    ports: [1]\n")
    project.shell(f"DOCKER_HOST={host} rdoctl init --service web")
    assert settings(project).forward == forward


HOSTILE = {
    "image": "py",
    'odd\nhost = "evil"\n#': 1,
    "remoteEnv": {"A\x1b[2J": "x", "B": "${localEnv:C}\n[x]"},
    "postCreateCommand": "a\nb; c\x1b[2J",
}


def test_omissions_are_listed_in_a_comment_that_they_cannot_end(project: Project) -> None:
    (project.local / ".devcontainer.json").write_text(json.dumps(HOSTILE))
    result = init(project)
    text = (project.local / ".rdo.conf").read_text()
    assert result.returncode == 0
    assert b"\x1b" not in result.stdout
    assert "\x1b" not in text
    assert (settings(project).image, settings(project).host) == ("py", None)
    assert "# Not taken from .devcontainer.json:\n#  remoteEnv" in text
