"""Makes an archive of a small Debian, from which the tests' images are built without a registry."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = ("busybox", "make", "openssh-server", "procps", "sudo")


SUPERFLUOUS = (
    "usr/lib/*/gconv",
    "usr/lib/apt",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/perl5",
    "usr/share/zoneinfo",
    "var/cache/apt",
    "var/cache/debconf",
    "var/lib/apt/lists",
    "var/lib/dpkg",
)
"""Patterns of files that no test needs, which are half of all files that each engine would unpack."""


def path_with_sbin() -> str:
    """PATH, extended by the directories of Debian's programs for root."""
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def suite() -> str:
    """The name of this system's release of Debian or Ubuntu."""
    lines = Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["VERSION_CODENAME"].strip('"')


def mirror(suite: str) -> str:
    """The URL from which apt gets a release. Finding it takes a second."""
    command = ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"]
    targets = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return next(line.split()[2] for line in targets if line.split()[:2] == [suite, "main"])


def base_archive() -> Path:
    """A tar archive of a small system. It is made once, and kept in the user's cache directory under a name that
    depends on what it was made of.
    """
    release = suite()
    digest = hashlib.sha256(repr((release, PACKAGES, SUPERFLUOUS)).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rdo-tests"
    archive = cache / f"base-{digest}.tar"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may need it at the same time, and one makes it
        if not archive.exists():
            with tempfile.TemporaryDirectory(dir=cache) as directory:
                made = Path(directory) / "base.tar"
                build_base(Path(directory) / "root", made, release, mirror(release))
                made.rename(archive)
    return archive


def build_base(root: Path, archive: Path, suite: str, address: str) -> None:
    """Make the smallest possible Debian, without the files that no test needs."""
    components = "main,universe" if "ubuntu" in address else "main"
    options = ["--variant=minbase", f"--include={','.join(PACKAGES)}", f"--components={components}"]
    log = archive.with_suffix(".log")
    environment = {**os.environ, "PATH": path_with_sbin()}
    with log.open("wb") as file:
        command = ["debootstrap", *options, suite, str(root), address]
        done = subprocess.run(command, stdout=file, stderr=file, env=environment, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, log.read_text()[-2000:]
    for directory in (each for pattern in SUPERFLUOUS for each in root.glob(pattern)):
        shutil.rmtree(directory)
    subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
