"""Fixtures for the end-to-end tests: projects whose target is a real sshd, or a container of a real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests import clients
from tests.docker_engine import SHELLS, DockerEngine
from tests.e2e.masters import close, targets
from tests.e2e.project import Project, docker_project, local_project, ssh_project, up
from tests.e2e.reached import WAYS, Box, Reached, Way, over_ssh, shared_user_sshd
from tests.e2e.synced import Synced, prepared
from tests.e2e.terminal import Terminal
from tests.leaks import MARK, Leaks
from tests.soak import FULL
from tests.ssh_server import SshServer
from tests.sshd import Sshd

TARGETS = ["ssh", *(f"docker-{shell}" for shell in (SHELLS if FULL else ["dash"]))]
"""Kinds of target; containers by their /bin/sh. The contract in tests/integration covers all drivers with each, and so
does `make soak` here.
"""


IDLE = ("read -r rdo_s", "sshd: ")
"""Parts of the command lines of the shells and connections that a master holds for the next command."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a marked test with each client."""
    if metafunc.definition.get_closest_marker("both_clients") and "client" in metafunc.fixturenames:
        metafunc.parametrize("client", clients.all_of_them(), indirect=True)


@pytest.fixture
def client(request: pytest.FixtureRequest) -> str:
    """Which client `rdo` is: `native`, `python`, or empty for that of this run."""
    return str(getattr(request, "param", ""))


@pytest.fixture
def own(tmp_path: Path, runtime: dict[str, str], sshd: Sshd, client: str) -> Project:
    """A project on the sshd that tests share, with its own control master."""
    return ssh_project(tmp_path, runtime | clients.path(client, runtime["PATH"]), sshd)


@pytest.fixture
def project(own: Project) -> Project:
    """The same. Tests in `commands` share a control master."""
    return own


@pytest.fixture
def local(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


@pytest.fixture(scope="session")
def shared_sshd(tmp_path_factory: pytest.TempPathFactory, sshd: Sshd, leaks: Leaks) -> Iterator[Sshd]:
    """A server only for the shared masters, because what they hold on it is not a leak of a test."""
    server = Sshd(tmp_path_factory.mktemp("shared-sshd"))
    server.environment[MARK] = sshd.environment[MARK]
    with server:
        leaks.register_server(server.pid, *IDLE)
        yield server


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, shared_runtime: dict[str, str], shared_sshd: Sshd) -> Project:
    """A project on that server, whose control master remains running."""
    return up(ssh_project(tmp_path_factory.mktemp("shared"), shared_runtime, shared_sshd, 'idle_timeout = "1d"\n'))


@pytest.fixture
def lent(shared: Project, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of that master for one test, which must neither end it nor count its connections. Its targets are
    closed afterwards.

    The user's files, such as what was allowed, are the test's own. A module that says `pytestmark =
    pytest.mark.usefixtures("lent")` gets this as `runtime`, and so has no separate master for each test, which would
    take half of a test's time to start.
    """
    before = targets(shared)
    files = {f"XDG_{name}_HOME": tmp_path / f"user's {name.lower()}" for name in ("CACHE", "CONFIG", "STATE")}
    for directory in files.values():
        directory.mkdir(mode=0o700)
    yield {**shared.environment, **{name: str(directory) for name, directory in files.items()}}
    close(shared, targets(shared) - before)


@pytest.fixture
def runtime(request: pytest.FixtureRequest) -> dict[str, str]:
    """`lent` if a test uses that, and otherwise its own environment."""
    found: dict[str, str] = request.getfixturevalue("lent" if "lent" in request.fixturenames else "runtime")
    return found


@pytest.fixture(scope="session")
def containers(docker_engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A container for each /bin/sh of TARGETS, in which all directories of the tests have the same paths as here."""
    base = tmp_path_factory.getbasetemp()
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(docker_engine.container(name.removeprefix("docker-"), {base: str(base)}))
            for name in TARGETS[1:]
        }


@pytest.fixture(scope="session")
def docker_box(docker_engine: DockerEngine, containers: dict[str, str]) -> Box:
    """The first of them."""
    return Box(docker_engine, containers[TARGETS[1]])


@pytest.fixture(scope="session", params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    """Each of TARGETS."""
    return str(request.param)


@pytest.fixture(scope="session")
def server(target: str, request: pytest.FixtureRequest) -> Callable[[Path, Mapping[str, str]], Project]:
    """Makes a project for each kind of target. Its server is started before a test begins, because it is not a leak of
    the test.
    """
    if target == "ssh":
        return partial(ssh_project, server=request.getfixturevalue("sshd"))
    container = request.getfixturevalue("containers")[target]
    return partial(docker_project, engine=request.getfixturevalue("docker_engine"), container=container)


@pytest.fixture
def own_anywhere(
    tmp_path: Path, runtime: dict[str, str], server: Callable[[Path, Mapping[str, str]], Project]
) -> Project:
    """A project on each kind of target, with its own control master."""
    return server(tmp_path, runtime)


@pytest.fixture
def anywhere(own_anywhere: Project) -> Project:
    """The same. Tests in `commands` share a control master."""
    return own_anywhere


@pytest.fixture
def terminal(project: Project) -> Iterator[Terminal]:
    """An interactive bash on a terminal of 30 rows and 100 columns, in the project's directory."""
    with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as opened:
        opened.expect("$ ")
        yield opened


@pytest.fixture(scope="session")
def user_sshd(leaks: Leaks) -> Iterator[Sshd]:
    """A server that lets an ordinary user log in."""
    for server in shared_user_sshd({MARK: f"{leaks.run}user-sshd"}):
        leaks.register_server(server.pid)
        yield server


@pytest.fixture(scope="session", params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[Way, SshServer | Box]:
    """Each kind of target with its server, which is started before any test that uses it."""
    way = WAYS[request.param]
    return way, request.getfixturevalue(way.server)


@pytest.fixture
def reached(way: tuple[Way, SshServer | Box], tmp_path: Path, runtime: dict[str, str]) -> Iterator[Reached]:
    """A project on each kind of target, over a line that can be cut."""
    with ExitStack() as stack:
        yield way[0].reach(tmp_path, runtime, way[1], stack)


@pytest.fixture
def by_ssh(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Iterator[Reached]:
    """A project whose target is reached by ssh, over a line that can be cut."""
    with ExitStack() as stack:
        yield over_ssh(tmp_path, runtime, sshd, stack)


@pytest.fixture
def synced(by_ssh: Reached) -> Synced:
    """The same, with files that are pushed."""
    return prepared(by_ssh.project)
