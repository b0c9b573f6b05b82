"""Tests for deriving the directories that both sides see from a container's mounts."""

from __future__ import annotations

import pytest

from rdo.drivers.docker import mounts as docker_mounts
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.mounts import ContainerMount
from rdo.drivers.root import Root
from rdo.errors import RdoError
from rdo.paths.mapping import PathMapping

APP = "/home/me/app"


def bind(source: str, destination: str, read_only: bool = False) -> ContainerMount:
    return ContainerMount("bind", source, destination, read_only)


def volume(destination: str) -> ContainerMount:
    return ContainerMount("volume", f"/var/lib/docker/volumes{destination}/_data", destination)


def roots(*mounts: ContainerMount, workdir: str = "/") -> list[Root]:
    return docker_mounts.roots(mounts, workdir, lambda path: path)


def test_a_bind_mount_is_a_directory_that_both_sides_see_and_nothing_else_is() -> None:
    assert roots(volume("/data"), bind(f"{APP}/", "/srv/"), ContainerMount("bind", "C:\\x", "/x")) == [
        Root(APP, "/srv")
    ]


def test_a_read_only_mount_says_so() -> None:
    assert roots(bind("/home", "/h", read_only=True)) == [Root("/home", "/h", "read-only")]


def test_a_mount_is_also_found_by_its_physical_path() -> None:
    found = docker_mounts.roots([bind("/tmp/x", "/x")], "/", lambda path: "/private" + path)
    assert found == [Root("/private/tmp/x", "/x"), Root("/tmp/x", "/x")]


def test_paths_of_docker_desktop_are_translated_to_this_machines() -> None:
    assert roots(bind("/host_mnt/home/me", "/m")) == [Root("/home/me", "/m")]


def test_of_two_mounts_of_a_directory_the_workdirs_is_used_else_a_writable_one() -> None:
    twice = (bind(APP, "/a", read_only=True), bind(APP, "/b"))
    for order in (twice, twice[::-1]):
        assert roots(*order) == [Root(APP, "/b")]
        assert roots(*order, workdir="/a/x") == [Root(APP, "/a", "read-only")]


def where(mounts: tuple[ContainerMount, ...], directory: str) -> str:
    """Where a command that is typed in the directory runs, or the error."""
    found = roots(*mounts)
    mapping = PathMapping(found)
    return mapping.directory(directory, directory, lambda it: docker_mounts.not_mounted("web-1", found, APP, it))


@pytest.mark.parametrize(
    ("mounts", "directory", "remote"),
    [
        pytest.param((bind(APP, "/app"),), f"{APP}/a/b", "/app/a/b", id="below a mount"),
        pytest.param((bind("/home", "/h"),), APP, "/h/me/app", id="a mount from above"),
        pytest.param((bind(APP, "/app"), bind(f"{APP}/lib", "/lib")), f"{APP}/lib/x", "/lib/x", id="the longest wins"),
        pytest.param((bind(APP, "/app"), bind(f"{APP}/x", "/app/x")), f"{APP}/x/y", "/app/x/y", id="one in the other"),
        pytest.param((bind(APP, "/app"), volume("/app/mod")), f"{APP}/models", "/app/models", id="beside a volume"),
        pytest.param((bind(APP, "/app"), volume("/app")), f"{APP}/x", "/app/x", id="a volume that is mounted below"),
        pytest.param((bind(APP, "/"), volume("/var")), f"{APP}/src", "/src", id="mounted as the root"),
        pytest.param(
            (bind(APP, "/app"), volume("/app/mod"), bind(f"{APP}/mod/own", "/app/mod/own")),
            f"{APP}/mod/own/x",
            "/app/mod/own/x",
            id="a mount in a volume in a mount",
        ),
    ],
)
def test_a_mounted_directory_is_mapped(mounts: tuple[ContainerMount, ...], directory: str, remote: str) -> None:
    assert where(mounts, directory) == remote


NOTHING = "nothing of this directory is mounted in `web-1`; set `directory`"
HIDDEN = (
    "is not the directory that the target has there: a {} is mounted over it; `--dir {}` runs in the target's directory"
)


@pytest.mark.parametrize(
    ("mounts", "directory", "words"),
    [
        pytest.param((), APP, NOTHING, id="no mount"),
        pytest.param((volume("/app"),), APP, NOTHING, id="a volume"),
        pytest.param((bind("/var/run/docker.sock", "/var/run/docker.sock"),), APP, NOTHING, id="something else"),
        pytest.param((bind("/home/me/app2", "/app"),), APP, NOTHING, id="a longer name"),
        pytest.param(
            (bind(f"{APP}/src", "/app"),),
            f"{APP}/doc",
            f"{NOTHING}, or `cd` to a mounted directory: `{APP}/src`",
            id="another part",
        ),
        pytest.param(
            (bind(f"{APP}/src", "/app"),),
            APP,
            f"this directory is not mounted in `web-1`; set `directory`, or `cd` to a mounted directory: `{APP}/src`",
            id="a part below",
        ),
        pytest.param(
            tuple(bind(f"{APP}/{n}", f"/{n}") for n in range(5)),
            f"{APP}/doc",
            f"{NOTHING}, or `cd` to a mounted directory: `{APP}/0`, `{APP}/1`, `{APP}/2` ...",
            id="many parts",
        ),
        pytest.param(
            (bind(APP, "/app"), volume("/app/node_modules")),
            f"{APP}/node_modules/x",
            f"`{APP}/node_modules/x` {HIDDEN.format('volume', '/app/node_modules/x')}",
            id="hidden by a volume",
        ),
        pytest.param(
            (bind(APP, "/app"), ContainerMount("tmpfs", "", "/app/tmp")),
            f"{APP}/tmp",
            f"`{APP}/tmp` {HIDDEN.format('tmpfs', '/app/tmp')}",
            id="hidden by a tmpfs",
        ),
        pytest.param(
            (bind(APP, "/app"), bind("/etc", "/app/etc")),
            f"{APP}/etc/x",
            f"`{APP}/etc/x` {HIDDEN.format('directory', '/app/etc/x')}",
            id="hidden by another directory",
        ),
    ],
)
def test_a_directory_that_is_not_mounted_is_an_error(
    mounts: tuple[ContainerMount, ...], directory: str, words: str
) -> None:
    with pytest.raises(RdoError) as caught:
        where(mounts, directory)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (None, ("volume", "/data", False)),
        ({"type": "tmpfs", "o": "size=1m"}, ("volume", "/data", False)),
        ({"type": "none", "o": "bind", "device": "/a"}, ("bind", "/a", False)),
        ({"type": "none", "o": "ro,rbind", "device": "/a"}, ("bind", "/a", True)),
        ({"o": "bind"}, ("bind", "", False)),
    ],
)
def test_a_volume_that_is_made_of_a_directory_is_that_directory(
    options: dict[str, str] | None, found: tuple[str, str, bool]
) -> None:
    mount = ContainerMount("volume", "/data", "/code", False, "code")
    bound = docker_mounts.bound(mount, EngineAnswer({"Options": options}, "GET /x"))
    assert (bound.kind, bound.source, bound.read_only) == found
