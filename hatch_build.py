"""What is made when a wheel is built: the client in C (native/).

A wheel with the client has the tag of its platform. Without a compiler the client is the one in Python, and the wheel
is for every platform. RDO_WHEEL_PLATFORM names the platform where it is another one, as with a cross-compiler in CC, or
is `any`, to have no client in C. Either wheel has the package in the same place.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging import tags

PLATFORM = "RDO_WHEEL_PLATFORM"
PURE = "any"
ASKED = "this build of rdo is for every platform"

REASON = "client.txt"
"""In the metadata of a wheel without the client in C: why. `rdoctl doctor` reads it."""


class Hook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds to a wheel what is made when it is built: the client in C."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        self._directory = tempfile.TemporaryDirectory()
        package = Path(self.root) / "rdo" if version == "editable" else None
        self._add_client(Path(self._directory.name), package, build_data)

    def _add_client(self, made: Path, package: Path | None, build_data: dict[str, Any]) -> None:
        """As `rdo` the program in C, else the launcher of the client in Python, and why."""
        tag = os.environ.get(PLATFORM) or own_platform()
        why = ASKED if tag == PURE else compile_client(Path(self.root), made / "rdo", package)
        if not why:
            build_data["shared_scripts"][str(made / "rdo")] = "rdo"
            build_data["tag"] = f"py3-none-{tag}"
            return
        if PLATFORM in os.environ and tag != PURE:
            raise RuntimeError(f"no client for {tag}: {why}")
        self.app.display_warning(f"rdo: the client will be the one in Python: {why}")
        build_data["shared_scripts"]["bin/rdo"] = "rdo"
        (made / REASON).write_text(why, "utf-8")
        build_data["extra_metadata"][str(made / REASON)] = REASON

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when it has built."""
        self._directory.cleanup()


def own_platform() -> str:
    """What runs here, as wheels have it. On Linux without a release of glibc: it is that of this machine."""
    platforms = list(tags.platform_tags())
    return platforms[0 if sys.platform == "darwin" else -1]


def compile_client(root: Path, output: Path, package: Path | None) -> str:
    """Write the program; where that cannot be, why not."""
    place = ["--package", str(package)] if package else []
    command = [sys.executable, str(root / "native" / "compile.py"), str(output), *place]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    return "" if done.returncode == 0 else " ".join(done.stderr.split())
