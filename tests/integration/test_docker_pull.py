"""Tests for pulling images from a registry on this machine that has a single small one."""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.drivers.docker import image_source
from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.engine import Engine
from rdo.drivers.docker.image_container import directory_archive
from rdo.errors import ConnectError
from tests.docker_engine import DockerEngine
from tests.ssh_client import ScriptedCaller

TYPES = "application/vnd.docker"
LAYER = directory_archive("/empty", 0, 0)
CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "config": {},
    "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(LAYER).hexdigest()}"]},
}
SECRET = base64.b64encode(b"me:secret").decode()


def described(data: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "size": len(data), "digest": f"sha256:{hashlib.sha256(data).hexdigest()}"}


class Registry:
    """Serves the image `small` to everyone and `hidden` to `me`; see the OCI distribution specification."""

    def __init__(self) -> None:
        layer, config = gzip.compress(LAYER, mtime=0), json.dumps(CONFIG).encode()
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{TYPES}.distribution.manifest.v2+json",
                "config": described(config, f"{TYPES}.container.image.v1+json"),
                "layers": [described(layer, f"{TYPES}.image.rootfs.diff.tar.gzip")],
            }
        ).encode()
        self.blobs = {str(described(data, "")["digest"]): data for data in (layer, config, self.manifest)}
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, data = registry.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Docker-Content-Digest", str(described(data, "")["digest"]))
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="test"')
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data)

            do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def answer(self, path: str, authorization: str) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        _, _, *rest = path.split("/")
        if rest in ([], [""]) or rest[0] == "hidden":
            if rest and rest[0] == "hidden" and authorization != f"Basic {SECRET}":
                return 401, "application/json", b"{}"
            if rest in ([], [""]):
                return (200 if authorization else 401), "application/json", b"{}"
        if rest[0] not in ("small", "hidden"):
            return 404, "application/json", b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
        if rest[1] == "manifests":
            return 200, f"{TYPES}.distribution.manifest.v2+json", self.manifest
        return 200, "application/octet-stream", self.blobs[rest[2]]

    def close(self) -> None:
        """Stop the registry."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry for one test."""
    made = Registry()
    yield made
    made.close()


@pytest.fixture
def caller(docker_engine: DockerEngine, registry: Registry, tmp_path: Path) -> ScriptedCaller:
    """A caller with credentials for the registry."""
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.address: {"auth": SECRET}}}))
    return ScriptedCaller(environment={**os.environ, "DOCKER_HOST": docker_engine.host, "DOCKER_CONFIG": str(tmp_path)})


@pytest.fixture
def engine(caller: ScriptedCaller) -> Iterator[Engine]:
    """The engine as the driver uses it."""
    made = Engine(resolve(caller.environment), caller.environment)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _no_pulled_image(docker_engine: DockerEngine, registry: Registry) -> Iterator[None]:
    yield
    with docker_engine.client() as client:
        for image in client.images.list():
            if any(tag.startswith(registry.address) for tag in image.tags):
                client.images.remove(str(image.id), force=True)


@pytest.mark.parametrize("name", ["small", "hidden", "small:latest"])
def test_a_missing_image_is_pulled_with_the_user_s_credentials(
    engine: Engine, registry: Registry, caller: ScriptedCaller, name: str
) -> None:
    image = f"{registry.address}/{name}"
    image_source.ensure_pulled(engine, image, "missing", caller)
    assert caller.told == [f"rdo: pulling `{image}`"]
    image_source.ensure_pulled(engine, image, "missing", caller)
    assert len(caller.told) == 1
    image_source.ensure_pulled(engine, image, "always", caller)
    assert len(caller.told) == 2


def test_with_never_nothing_is_pulled(engine: Engine, registry: Registry, caller: ScriptedCaller) -> None:
    image = f"{registry.address}/small"
    with pytest.raises(ConnectError, match=rf"no image `{image}`; `docker pull {image}`, or set `pull_image`"):
        image_source.ensure_pulled(engine, image, "never", caller)
    assert caller.told == []


def test_progress_is_shown_while_a_pull_takes_long(
    engine: Engine, registry: Registry, caller: ScriptedCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_source, "PROGRESS_INTERVAL", 0.0)
    image_source.ensure_pulled(engine, f"{registry.address}/small", "missing", caller)
    assert caller.told[-1].endswith("1 of 1 layers, 0 of 0 MB, 100 %")


def test_a_caller_with_progress_sees_no_separate_lines(
    engine: Engine, registry: Registry, caller: ScriptedCaller
) -> None:
    watching = ScriptedCaller(environment=caller.environment, watches=True)
    image_source.ensure_pulled(engine, f"{registry.address}/small", "missing", watching)
    assert watching.told == []
    assert watching.steps[0] == f"pulling `{registry.address}/small`"
    assert watching.steps[-1].endswith(": 1 of 1 layers, 0 of 0 MB, 100 %")


def test_an_unknown_image_and_a_wrong_secret_are_each_one_line(
    engine: Engine, registry: Registry, caller: ScriptedCaller, tmp_path: Path
) -> None:
    with pytest.raises(ConnectError, match=r"cannot pull the image `.*/missing`: .*manifest unknown.*; check the name"):
        image_source.ensure_pulled(engine, f"{registry.address}/missing", "missing", caller)
    wrong = base64.b64encode(b"me:wrong").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.address: {"auth": wrong}}}))
    with pytest.raises(ConnectError, match=r"cannot pull the image `.*/hidden`: .*; check the name, or `docker login`"):
        image_source.ensure_pulled(engine, f"{registry.address}/hidden", "missing", caller)
