"""Fixtures of all tests: the leak check, the isolated environment, and required servers.

If RDO_REQUIRE, for example `ssh,docker`, names a server that a test needs and that is missing, the test fails instead
of being skipped.
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

# What a shell without job control starts with `&` ignores these two, and so would every rdo that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

ACCOUNT = Account()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and make hypothesis use the same examples each time, without deadlines, except in soaks."""
    config.addinivalue_line("markers", "long: takes most of a minute, or is one of many variants; only ALL=1 runs it")
    config.addinivalue_line("markers", "both_clients: runs over the client in C and over the one in Python")
    config.addinivalue_line("markers", "serial: measures time, which something beside it would take")
    slow = [HealthCheck.too_slow]
    examples = tries(50, 1000)
    settings.register_profile(
        "ours", deadline=None, derandomize=not FULL, max_examples=examples, suppress_health_check=slow
    )
    settings.load_profile("ours")
    gc.disable()  # collected items live to the end; searching them for garbage takes a quarter of the time
    if not hasattr(config, "workerinput"):  # only once, instead of in each process of xdist
        clients.make()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """The number of test processes. Tests spend much of their time waiting for processes; those with servers, two
    thirds.
    """
    cores = os.cpu_count() or 1
    return cores + (cores + 1) // 2 if all("unit" in argument for argument in config.args) else 2 * cores + cores // 2


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark rows that are nearly the same as another one, so that only ALL=1 runs them."""
    if is_variant(item):
        item.add_marker(pytest.mark.long)


@pytest.hookimpl(trylast=True)  # pytest's own sorts by fixtures
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests: those with real Vagrant first, since they wait longest, and idle processes take over tests from
    the end. Those with podman follow, so that one process runs the engine for all of them.
    """
    items.sort(key=lambda item: not uses_podman(item))
    items.sort(key=lambda item: not uses_vagrant(item))


def pytest_collection_finish() -> None:
    """Enable garbage collection again, without the collected items."""
    gc.freeze()
    gc.enable()


def pytest_runtest_logfinish() -> None:
    """Do not start another test when the time of a soak is over."""
    if ACCOUNT.is_over:
        pytest.exit("the time of a whole soak is over; the rest was not run", returncode=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what a soak counted."""
    if FULL:
        terminalreporter.section("counted")
        terminalreporter.write("\n".join(ACCOUNT.table()) + "\n")


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Counted:
    """A function that iterates over items, and counts them: see tests.soak."""
    over = request.node.callspec.id if hasattr(request.node, "callspec") else ""
    return lambda name, items: ACCOUNT.add(name, over).count(items)


def require(name: str, reason: str) -> NoReturn:
    """Skip the test because `name` (ssh, docker, tmux, ...) is not available; fail if RDO_REQUIRE names it."""
    if name in os.environ.get("RDO_REQUIRE", "").split(","):
        pytest.fail(f"RDO_REQUIRE names {name}: {reason}", pytrace=False)
    pytest.skip(f"{name}: {reason}")


@pytest.fixture(scope="session")
def leaks() -> Leaks:
    """The leak check of this run, for fixtures that start servers: `leaks.register_server(pid)`."""
    return Leaks(run=f"rdo-{os.getpid()}-")


@pytest.fixture(scope="session")
def register_server(leaks: Leaks) -> Callable[..., None]:
    """A function for the process ID of a test server: what remains of its descendants after a test is a leak."""
    return leaks.register_server


@pytest.fixture(autouse=True)
def test_id(request: pytest.FixtureRequest, leaks: Leaks, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Mark the processes that the test starts, and fail the test if any of them remains.

    What a fixture of a wider scope started exists before the test, and is not a leak of the test. Few unit tests start
    processes, so it is enough to look for children after each, and at the end of the run for processes that have left
    their parent.
    """
    mark = f"{leaks.run}{next(NUMBERS)}"
    monkeypatch.setenv(MARK, mark)
    before = leaks.snapshot(quick=UNIT in request.path.parents)
    yield mark
    report(leaks.find(before))


@pytest.fixture(scope="session", autouse=True)
def run_leaks(leaks: Leaks) -> Iterator[None]:
    """Fail the last test if a process of the run remains, such as one that left its parent in a unit test."""
    yield
    wait_until(lambda: not leaks.processes(), leaks.settle)
    report(leaks.end_processes(frozenset()))


def report(left: list[str]) -> None:
    """Fail the test if something remains."""
    if left:
        pytest.fail("the test left behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture
def runtime(test_id: str, leaks: Leaks) -> Iterator[dict[str, str]]:
    """An environment for rdo, for one test."""
    with environment_of(test_id, leaks) as environment:
        yield environment


@pytest.fixture(scope="session")
def shared_runtime(leaks: Leaks) -> Iterator[dict[str, str]]:
    """An environment for tests that share the control master which listens in it."""
    with environment_of(f"{leaks.run}{next(NUMBERS)}", leaks) as environment:
        yield environment


@pytest.fixture
def mount() -> Iterator[Mount]:
    """A function that mounts file systems for one test."""
    if reason := disk.why_not():
        require("mount", reason)
    with disk.mounts() as mount:
        yield mount


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory, leaks: Leaks) -> Iterator[Sshd]:
    """An sshd for all tests that neither change nor stop it."""
    if find_sshd() is None:
        require("ssh", "sshd is not installed")
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    server.environment[MARK] = f"{leaks.run}sshd"
    with server:
        leaks.register_server(server.pid)
        yield server


@pytest.fixture(scope="session")
def dropbear_user() -> Iterator[User]:
    """The user whom all dropbear servers let in."""
    if reason := why_no_dropbear():
        require("dropbear", reason)
    with make_dropbear_user() as user:
        yield user


@pytest.fixture(scope="session")
def dropbear(tmp_path_factory: pytest.TempPathFactory, dropbear_user: User, leaks: Leaks) -> Iterator[Dropbear]:
    """A dropbear for all tests that neither change nor stop it."""
    server = Dropbear(tmp_path_factory.mktemp("dropbear"), dropbear_user)
    server.environment[MARK] = f"{leaks.run}dropbear"
    with server:
        leaks.register_server(server.pid)
        yield server


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """A function that makes sshd servers for one test. They are not started yet, and are stopped after it."""
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
    """An engine for all tests that do not stop it. What it starts for a test carries the mark of this run."""
    yield from shared_engine({MARK: f"{leaks.run}docker"}, require)


@pytest.fixture(scope="session")
def vagrant_host(tmp_path_factory: pytest.TempPathFactory, docker_engine: DockerEngine) -> Iterator[VagrantHost]:
    """Vagrant with that engine, for all tests."""
    yield from shared_host(tmp_path_factory.mktemp("vagrant-host"), docker_engine, require)


@pytest.fixture(scope="session")
def vagrant_machine(tmp_path_factory: pytest.TempPathFactory, vagrant_host: VagrantHost) -> Path:
    """The directory of a project whose machine is up, for all tests that neither change nor stop it. It has a synced
    folder in addition to Vagrant's own.
    """
    directory = tmp_path_factory.mktemp("vagrant") / "my project"
    (directory / "src" / "deep").mkdir(parents=True)
    directory.chmod(0o777)  # the machine has another user
    vagrant_host.add(directory, vagrantfile('config.vm.synced_folder "src", "/srv/the source"'))
    vagrant_host.run(directory, "up")
    return directory
