"""The rows whose target is a container of a temporary engine: docker exec, and Vagrant's docker provider."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

from benchmarks.command import Command, Skipped
from benchmarks.figures import Outcome
from benchmarks.interleave import interleave
from benchmarks.plan import Plan
from benchmarks.workspace import Workspace
from tests.docker_engine import DockerEngine
from tests.docker_engine import why_not as why_no_engine
from tests.vagrant_machine import VagrantHost, vagrantfile

EXCUSES = (RuntimeError, AssertionError, OSError, subprocess.SubprocessError)
"""What the tests' engine and Vagrant raise if they are not available."""


def docker(plan: Plan) -> Outcome:
    """rdo, which keeps execs ready, compared with the docker program."""
    with _engine() as engine, engine.container() as name, _masters_of(plan.space):
        text = f'driver = "docker"\ncontainer = "{name}"\ndirectory = "/"\n'
        project = plan.space.project("docker", text, DOCKER_HOST=engine.host)
        plan.space.allow(project)
        return _compare(plan, project.command("rdo", "true"), project.command("docker", "exec", name, "true"))


def vagrant(plan: Plan) -> Outcome:
    """rdo's held connection compared with `vagrant`, which starts Ruby."""
    with _engine() as engine, _vagrant(plan.space, engine) as host:
        project = plan.space.project("vagrant", 'driver = "vagrant"\n', **host.variables)
        host.add(project.directory, vagrantfile())
        plan.space.allow(project)
        try:
            host.run(project.directory, "up")
        except EXCUSES as error:
            raise Skipped(f"`vagrant up` fails: {_last_line(error)}") from error
        with _masters_of(plan.space):
            ours, theirs = project.command("rdo", "true"), project.command("vagrant", "ssh", "-c", "true")
            return _compare(plan, ours, theirs)


def _compare(plan: Plan, ours: Command, theirs: Command) -> Outcome:
    pairs = interleave(lambda: ours.time() * 1000, lambda: theirs.time() * 1000, plan.repetitions, warm_ups=1)
    return Outcome(plan.goal, pairs.ours, pairs.theirs)


@contextlib.contextmanager
def _masters_of(space: Workspace) -> Iterator[None]:
    """End the masters before their target."""
    try:
        yield
    finally:
        space.stop_masters()


@contextlib.contextmanager
def _engine() -> Iterator[DockerEngine]:
    if reason := why_no_engine():
        raise Skipped(reason)
    engine = DockerEngine()
    try:
        try:
            engine.start()
            engine.image()
        except EXCUSES as error:
            raise Skipped(f"no engine: {_last_line(error)}") from error
        yield engine
    finally:
        engine.stop()


@contextlib.contextmanager
def _vagrant(space: Workspace, engine: DockerEngine) -> Iterator[VagrantHost]:
    try:
        host = VagrantHost(space.directory("vagrant-host"), {"DOCKER_HOST": engine.host})
        host.prepare(engine.image())
    except EXCUSES as error:
        raise Skipped(f"no Vagrant: {_last_line(error)}") from error
    try:
        yield host
    finally:
        host.close()


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
