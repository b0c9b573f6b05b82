"""Fixtures of all tests: the leak check, the isolated environment, and what a run requires.

RDO_REQUIRE=ssh,docker makes a failure of a skip for want of one of these names.
"""

from __future__ import annotations

import gc
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests import clients, disk
from tests.disk import Mount
from tests.docker_engine import DockerEngine, shared_engine
from tests.dropbear import Dropbear, User
from tests.dropbear import user as make_dropbear_user
from tests.dropbear import why_not as why_no_dropbear
from tests.environment import environment_of
from tests.leaks import MARK, Leaks, wait_until
from tests.rows import is_variant, uses_podman, uses_vagrant
from tests.soak import FULL, Account, Counted, tries
from tests.sshd import Sshd, find_sshd
from tests.vagrant_machine import VagrantHost, shared_host, vagrantfile

NUMBERS = itertools.count(1)

UNIT = Path(__file__).parent / "unit"

# A shell without job control has what it starts with `&` ignore these two, and so would every rdo that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

ACCOUNT = Account()


def pytest_configure(config: pytest.Config) -> None:
    """The markers, and the examples of hypothesis: the same each time, and without a clock, but for `make soak`."""
    config.addinivalue_line("markers", "long: takes most of a minute, or is one of many variants; only ALL=1 runs it")
    config.addinivalue_line("markers", "both_clients: runs over the client in C and over the one in Python")
    config.addinivalue_line("markers", "serial: measures time, which something beside it would take")
    slow = [HealthCheck.too_slow]
    examples = tries(50, 1000)
    settings.register_profile(
        "ours", deadline=None, derandomize=not FULL, max_examples=examples, suppress_health_check=slow
    )
    settings.load_profile("ours")
    gc.disable()  # what is collected lives to the end: to search it for garbage meanwhile takes a quarter of that time
    if not hasattr(config, "workerinput"):  # once, not in each process of xdist
        clients.make()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Tests wait for the processes they start, those beside servers for two thirds of their time."""
    cores = os.cpu_count() or 1
    return cores + (cores + 1) // 2 if all("unit" in argument for argument in config.args) else 2 * cores + cores // 2


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave to ALL=1 what is nearly the same as another row."""
    if is_variant(item):
        item.add_marker(pytest.mark.long)


@pytest.hookimpl(trylast=True)  # pytest's own sorts by fixtures
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what waits longest, by real Vagrant: what other processes take over in the end is what comes last. Then
    podman's, so that one process has the engine of them all.
    """
    items.sort(key=lambda item: not uses_podman(item))
    items.sort(key=lambda item: not uses_vagrant(item))


def pytest_collection_finish() -> None:
    """Search for garbage again, from now on, without what has been collected."""
    gc.freeze()
    gc.enable()


def pytest_runtest_logfinish() -> None:
    """Begin no further test when a soak has had its time."""
    if ACCOUNT.is_over:
        pytest.exit("the time of a whole soak is over; the rest was not run", returncode=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what a soak has counted."""
    if FULL:
        terminalreporter.section("counted")
        terminalreporter.write("\n".join(ACCOUNT.table()) + "\n")


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Counted:
    """Goes through items, and keeps account of them: see tests.soak."""
    over = request.node.callspec.id if hasattr(request.node, "callspec") else ""
    return lambda name, items: ACCOUNT.add(name, over).count(items)


def require(name: str, reason: str) -> NoReturn:
    """Skip, because `name` (ssh, docker, tmux, ...) cannot be had here; or fail, if RDO_REQUIRE names it."""
    if name in os.environ.get("RDO_REQUIRE", "").split(","):
        pytest.fail(f"RDO_REQUIRE names {name}: {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")


@pytest.fixture(scope="session")
def leaks() -> Leaks:
    """The leak check of this run, for fixtures that start servers: `leaks.register_server(pid)`."""
    return Leaks(run=f"rdo-{os.getpid()}-")


@pytest.fixture(scope="session")
def register_server(leaks: Leaks) -> Callable[..., None]:
    """Call it with a test server's process id: what is left of its descendants after a test is a leak."""
    return leaks.register_server


@pytest.fixture(autouse=True)
def test_id(request: pytest.FixtureRequest, leaks: Leaks, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Mark what the test starts, and fail the test if anything of it is left.

    What a wider fixture starts is there before the test, and so no leak of the test's. Few unit tests start a process:
    for them it is enough to look for children, and for what has left its parent once they are all through.
    """
    mark = f"{leaks.run}{next(NUMBERS)}"
    monkeypatch.setenv(MARK, mark)
    before = leaks.snapshot(quick=UNIT in request.path.parents)
    yield mark
    report(leaks.find(before))


@pytest.fixture(scope="session", autouse=True)
def run_leaks(leaks: Leaks) -> Iterator[None]:
    """Fail the last test if a process of the whole run is left, such as one that left its parent in a unit test."""
    yield
    wait_until(lambda: not leaks.processes(), leaks.settle)
    report(leaks.end_processes(frozenset()))


def report(left: list[str]) -> None:
    """Fail where something is left behind."""
    if left:
        pytest.fail("the test left behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture
def runtime(test_id: str, leaks: Leaks) -> Iterator[dict[str, str]]:
    """An environment of its own for rdo, for one test."""
    with environment_of(test_id, leaks) as environment:
        yield environment


@pytest.fixture(scope="session")
def shared_runtime(leaks: Leaks) -> Iterator[dict[str, str]]:
    """The same, for tests that share the control master which listens in it."""
    with environment_of(f"{leaks.run}{next(NUMBERS)}", leaks) as environment:
        yield environment


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts file systems for one test."""
    if reason := disk.why_not():
        require("mount", reason)
    with disk.mounts() as mount:
        yield mount


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory, leaks: Leaks) -> Iterator[Sshd]:
    """One server for all tests that neither change nor stop it."""
    if find_sshd() is None:
        require("ssh", "sshd is not installed")
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    server.environment[MARK] = f"{leaks.run}sshd"
    with server:
        leaks.register_server(server.pid)
        yield server


@pytest.fixture(scope="session")
def dropbear_user() -> Iterator[User]:
    """Whom all servers of that kind let in."""
    if reason := why_no_dropbear():
        require("dropbear", reason)
    with make_dropbear_user() as user:
        yield user


@pytest.fixture(scope="session")
def dropbear(tmp_path_factory: pytest.TempPathFactory, dropbear_user: User, leaks: Leaks) -> Iterator[Dropbear]:
    """One server of another kind for all tests that neither change nor stop it."""
    server = Dropbear(tmp_path_factory.mktemp("dropbear"), dropbear_user)
    server.environment[MARK] = f"{leaks.run}dropbear"
    with server:
        leaks.register_server(server.pid)
        yield server


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """Makes servers for one test, not started yet; stopped after it."""
    if find_sshd() is None:
        require("ssh", "sshd is not installed")
    made: list[Sshd] = []

    def make(*config_lines: str) -> Sshd:
        made.append(Sshd(tmp_path / f"sshd{len(made)}", config_lines))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="session")
def docker_engine(leaks: Leaks) -> Iterator[DockerEngine]:
    """One engine for all tests that do not stop it. What it starts for a test carries the mark of this run."""
    yield from shared_engine({MARK: f"{leaks.run}docker"}, require)


@pytest.fixture(scope="session")
def vagrant_host(tmp_path_factory: pytest.TempPathFactory, docker_engine: DockerEngine) -> Iterator[VagrantHost]:
    """Vagrant over that engine, for all tests."""
    yield from shared_host(tmp_path_factory.mktemp("vagrant-host"), docker_engine, require)


@pytest.fixture(scope="session")
def vagrant_machine(tmp_path_factory: pytest.TempPathFactory, vagrant_host: VagrantHost) -> Path:
    """The directory of a project whose machine is up, for all tests that neither change nor stop that: with a synced
    folder besides Vagrant's own.
    """
    directory = tmp_path_factory.mktemp("vagrant") / "my project"
    (directory / "src" / "deep").mkdir(parents=True)
    directory.chmod(0o777)  # the machine's user is another one than we
    vagrant_host.add(directory, vagrantfile('config.vm.synced_folder "src", "/srv/the source"'))
    vagrant_host.run(directory, "up")
    return directory
