"""What the engine's descriptions of containers mean to rdo: folders, choice of a service's container, state. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rdo.drivers.base import Root

Details = Mapping[str, Any]

SERVICE = "com.docker.compose.service"
PROJECT_FOLDER = "com.docker.compose.project.working_dir"
PROJECT_FILES = "com.docker.compose.project.config_files"
NUMBER = "com.docker.compose.container-number"
ONE_OFF = "com.docker.compose.oneoff"

DESKTOP_PREFIX = "/host_mnt"
"""Docker Desktop shows this machine's folders below it."""


def name(details: Details) -> str:
    """A container's name for people, of an inspection or an entry of a list."""
    names = details.get("Names") or [details.get("Name") or details["Id"][:12]]
    return str(min(names, key=len)).removeprefix("/")


def roots(details: Details, project: str, resolve: Callable[[str], str]) -> list[Root]:
    """The folders that are mounted from here; the project's folder as the WORKDIR where nothing of it is.

    `resolve` follows links: the engine names a source as it was given, and we have to do with physical paths.
    """
    found: dict[str, Root] = {}
    for mount in details.get("Mounts") or ():
        if mount.get("Type") != "bind":
            continue
        note = "" if mount.get("RW", True) else "read-only"
        source = _local(str(mount["Source"]))
        for local in (source, resolve(source)):
            found.setdefault(local, Root(local, _plain(str(mount["Destination"])), note))
    if not any(_holds(root.local, project) or _holds(project, root.local) for root in found.values()):
        workdir = _plain(str((details.get("Config") or {}).get("WorkingDir") or "/"))
        found[project] = Root(project, workdir, "the container's WORKDIR: nothing of this folder is mounted")
    return sorted(found.values())


def _local(source: str) -> str:
    return _plain(source.removeprefix(DESKTOP_PREFIX) if source.startswith(DESKTOP_PREFIX + "/") else source)


def _plain(path: str) -> str:
    return posixpath.normpath(path).replace("//", "/")


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def of_project(listing: Iterable[Details], folders: Sequence[str]) -> list[Details]:
    """The containers of the compose project of the first of these folders that has one."""
    containers = [each for each in listing if (each.get("Labels") or {}).get(ONE_OFF, "").lower() != "true"]
    for folder in folders:
        found = [each for each in containers if folder in _project_folders(each["Labels"])]
        if found:
            return found
    return []


def _project_folders(labels: Mapping[str, str]) -> set[str]:
    files = labels.get(PROJECT_FILES, "").split(",")
    return {_plain(labels.get(PROJECT_FOLDER) or "/-")} | {posixpath.dirname(file) for file in files if file}


def services(containers: Iterable[Details]) -> dict[str, Details]:
    """Each service's container, the one of the lowest number."""
    found: dict[str, Details] = {}
    for each in sorted(containers, key=lambda each: _number(each["Labels"]), reverse=True):
        found[each["Labels"].get(SERVICE, "")] = each
    return found


def _number(labels: Mapping[str, str]) -> int:
    text = labels.get(NUMBER, "")
    return int(text) if text.isdecimal() else 0


def folders_above(folder: str) -> list[str]:
    """The folder and all above it, the deepest first."""
    found = [folder]
    while found[-1] != posixpath.dirname(found[-1]):
        found.append(posixpath.dirname(found[-1]))
    return found


def health(details: Details) -> str:
    """`healthy`, `starting`, `unhealthy`; empty where the container has no health check."""
    status = str((details["State"].get("Health") or {}).get("Status", ""))
    return "" if status == "none" else status
