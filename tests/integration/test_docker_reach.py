"""Tests for ways to reach the engine: its socket, TCP, TLS and ssh, each with half-close; and for the errors."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.config.schema import Settings
from rdo.drivers.base import STDERR, STDOUT
from rdo.drivers.docker.driver import DockerDriver
from rdo.errors import ConfigError, ConnectError
from tests.conftest import require
from tests.connecting import connected
from tests.docker_engine import DockerEngine
from tests.ssh_client import ScriptedCaller
from tests.ssh_server import free_port
from tests.sshd import Sshd

TIMEOUT = 20.0

DATA = os.urandom(1000) * 2000


class TcpRelay:
    """Relays TCP connections to the engine's socket. Each direction ends separately."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    def close(self) -> None:
        """Stop accepting connections, and wait for the existing ones to end."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(TIMEOUT)

    def _begin(self, target: object, *args: object) -> None:
        self._threads.append(threading.Thread(target=target, args=args))  # type: ignore[arg-type]
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._begin(self._relay, self._listener.accept()[0])

    def _relay(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(self._path)
            back = threading.Thread(target=self._copy, args=(far, near))
            back.start()
            self._copy(near, far)
            back.join()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def container(docker_engine: DockerEngine) -> Iterator[str]:
    """A running container."""
    with docker_engine.container() as name:
        yield name


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for DOCKER_CERT_PATH: an authority, and a pair for each side."""
    directory = tmp_path_factory.mktemp("certificates")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", "key.pem", "-out", "cert.pem"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *files, *names], cwd=directory, check=True, capture_output=True)
    shutil.copy(directory / "cert.pem", directory / "ca.pem")
    return directory


def round_trip(container: str, environment: dict[str, str]) -> None:
    """Checks that much input arrives with its end, comes back on one stream, and the rest on the other."""
    driver = DockerDriver(Settings(container=container), "/", "default", environment)
    connection = connected(driver, ScriptedCaller(environment=environment))
    try:
        assert connection.keepalive.check_alive()
        channel = connection.open_channel("cat; echo end >&2; exit 9", None)
        writer = threading.Thread(target=lambda: (channel.write(DATA), channel.end_input()))
        writer.start()
        found = {STDOUT: b"", STDERR: b""}
        while (chunk := channel.read(TIMEOUT)) is not None:
            found[chunk.stream] += chunk.data
        writer.join()
        assert (found[STDOUT] == DATA, found[STDERR], channel.exit_status()) == (True, b"end\n", 9)
    finally:
        connection.close()


def test_its_socket(docker_engine: DockerEngine, container: str) -> None:
    round_trip(container, {**os.environ, "DOCKER_HOST": docker_engine.host})


def test_tcp(docker_engine: DockerEngine, container: str) -> None:
    with contextlib.closing(TcpRelay(docker_engine.host.removeprefix("unix://"))) as gate:
        round_trip(container, {**os.environ, "DOCKER_HOST": f"tcp://127.0.0.1:{gate.port}"})


@pytest.fixture
def tls_engine(docker_engine: DockerEngine, certificates: Path) -> Iterator[str]:
    """The address of an engine with TLS by Go's own library. It shares nothing with the other engine except its
    version.
    """
    port = free_port()
    engine = DockerEngine(extra=("-H", f"tcp://127.0.0.1:{port}", *tls_flags(certificates)))
    try:
        engine.start()
        with engine.container(name="behind-tls"):
            yield f"tcp://127.0.0.1:{port}"
    finally:
        engine.stop()


def tls_flags(directory: Path) -> tuple[str, ...]:
    files = {"tlscacert": "ca.pem", "tlscert": "cert.pem", "tlskey": "key.pem"}
    return ("--tlsverify", *(f"--{name}={directory / file}" for name, file in files.items()))


def test_tls(tls_engine: str, certificates: Path, tmp_path: Path) -> None:
    known = {**os.environ, "DOCKER_HOST": tls_engine, "DOCKER_TLS_VERIFY": "1"}
    round_trip("behind-tls", {**known, "DOCKER_CERT_PATH": str(certificates)})
    other = tmp_path / "other"
    shutil.copytree(certificates, other)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", "/dev/null", "-out", str(other / "ca.pem"), "-subj", "/CN=other"]
    subprocess.run([*command, *files], check=True, capture_output=True)
    with pytest.raises(ConnectError, match=r"cannot use TLS with the Docker engine at `tcp://.*`: .*self.signed"):
        round_trip("behind-tls", {**known, "DOCKER_CERT_PATH": str(other)})


@pytest.mark.parametrize("variable", ["DOCKER_TLS_VERIFY", "DOCKER_TLS"])
@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        pytest.param("ca.pem", None, "cannot read `{}/ca.pem` for TLS: no such file", id="no authority"),
        pytest.param("cert.pem", None, "cannot read `{}/cert.pem` for TLS: no such file", id="no certificate"),
        pytest.param("key.pem", None, "cannot read `{}/key.pem` for TLS: no such file", id="no key"),
        pytest.param("ca.pem", "", "cannot use the certificates in `{}`", id="an empty authority"),
        pytest.param("key.pem", "nonsense", "cannot use the certificates in `{}`", id="nonsense"),
    ],
)
def test_a_missing_certificate_is_an_error(
    certificates: Path, tmp_path: Path, variable: str, file: str, content: str | None, why: str
) -> None:
    directory = tmp_path / "certificates"
    shutil.copytree(certificates, directory)
    if content is None:
        (directory / file).unlink()
    else:
        (directory / file).write_text(content)
    environment = {**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:1", variable: "1", "DOCKER_CERT_PATH": str(directory)}
    with pytest.raises(ConfigError, match=re.escape(why.format(directory))):
        round_trip("x", environment)


def test_ssh(docker_engine: DockerEngine, container: str, own_sshd: Callable[..., Sshd]) -> None:
    if shutil.which("docker") is None:
        require("docker", "the docker command, which ssh:// runs on the other side, is not installed")
    server = own_sshd()
    server.environment["DOCKER_HOST"] = docker_engine.host
    server.start()
    environment = {**os.environ, "DOCKER_HOST": "ssh://devbox", "RDO_SSH_CONFIG": str(server.ssh_config())}
    round_trip(container, environment)
    words = r"`ssh://me@nowhere.invalid:23` cannot be reached: .*resolve.*; try `ssh -p 23 me@nowhere.invalid docker"
    with pytest.raises(ConnectError, match=words):
        round_trip(container, {**environment, "DOCKER_HOST": "ssh://me@nowhere.invalid:23"})


@pytest.mark.parametrize("host", ["unix:///nowhere/engine.sock", "tcp://127.0.0.1:1"])
def test_an_engine_that_does_not_run_is_named(host: str) -> None:
    environment = {**os.environ, "DOCKER_HOST": host}
    driver = DockerDriver(Settings(container="x"), "/", "default", environment)
    with pytest.raises(ConnectError, match=rf"the Docker engine at `{host}` does not answer: .*; start it"):
        connected(driver, ScriptedCaller(environment=environment))
    with pytest.raises(ConnectError, match="does not answer"):
        driver.roots()


def test_a_socket_of_another_user_is_an_error_with_advice(docker_engine: DockerEngine, tmp_path: Path) -> None:
    script = """
import os, sys
from rdo.drivers.docker.dial import dial
from rdo.drivers.docker.endpoint import parse
from rdo.errors import ConnectError
os.setuid(65534)
try:
    dial(parse(sys.argv[1], None), {})
except ConnectError as error:
    print(error)
"""
    path = tmp_path / "mine.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)
        for directory in [*path.parents][:-1]:
            if directory.owner() == "root" and "pytest" in str(directory):
                directory.chmod(0o755)
        command = [shutil.which("python3") or "python3", "-c", script, f"unix://{path}"]
        root = str(Path(__file__).parents[2])
        found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert "no permission to use the Docker engine at" in found.stdout, found.stderr
    assert "usermod -aG docker" in found.stdout


def test_a_server_that_is_not_an_engine_is_one_line(tmp_path: Path) -> None:
    def answer() -> None:
        with listener.accept()[0] as connection:
            connection.recv(1000)
            connection.sendall(b"220 mail ready\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        environment = {**os.environ, "DOCKER_HOST": f"tcp://127.0.0.1:{listener.getsockname()[1]}"}
        with pytest.raises(ConnectError, match="did not send a valid HTTP response: 220 mail ready"):
            DockerDriver(Settings(container="x"), "/", "default", environment).roots()
        thread.join()


def test_a_command_for_another_engine_is_sent_to_that() -> None:
    driver = DockerDriver(Settings(container="x"), "/", "default", {"DOCKER_HOST": "unix:///a"})
    callers = [ScriptedCaller(environment={"DOCKER_HOST": host}) for host in ("unix:///a", "unix:///a", "unix:///b")]
    assert len(set(map(driver.selector, callers))) == 2
