"""What is made when a wheel is built: the client in C (native/), and the amalgamation.

A wheel with the client has the tag of its platform. Without a compiler the client is the one in Python, and the wheel
is for every platform. RDO_WHEEL_PLATFORM names the platform where it is another one, as with a cross-compiler in CC, or
is `any`, to have no client in C. Either wheel has the package in the same place.

The amalgamation is the modules that every command of the client in Python loads, as one.
Python takes longer to find ten modules and to open their files than to load what is in them, and a command has little
else to wait for: this spares it an eighth of its CPU. Each text becomes the body of a function, which is run once with
the names of its module as globals: so nothing differs from the modules but the file that they are read from. It needs
no package to be there: it makes that, too, and so can be loaded without any search. Run by bin/rdo-client, among whose
globals it looks for the name of that file.
"""

from __future__ import annotations

import os
import subprocess
import symtable
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging import tags

PLATFORM = "RDO_WHEEL_PLATFORM"
PURE = "any"
ASKED = "this build of rdo is for every platform"

REASON = "client.txt"
"""In the metadata of a wheel without the client in C: why. `rdoctl doctor` reads it."""

MODULES = (
    "rdo", "rdo.errors", "rdo.fscodec", "rdo.client", "rdo.client.argv", "rdo.project", "rdo.__main__", "rdo.ipc",
    "rdo.ipc.protocol", "rdo.ipc.request", "rdo.ipc.address", "rdo.ipc.sockets", "rdo.client.request",
    "rdo.client.stdout", "rdo.client.foreground", "rdo.client.run", "rdo.client.main",
)  # fmt: skip
"""Packages, and their modules in the order in which they need each other."""

NAME = "rdo/amalgamation.py"

HEAD = (
    '"""Made of the modules that are named at the end, by hatch_build.py, for speed. Change those, and build again."""'
)

RUN = """\
import sys


def load(body, name, is_package):
    module = type(sys)(name)
    parent, _, own_name = name.rpartition(".")
    module.__package__ = name if is_package else parent
    if is_package:
        module.__path__ = ["/".join([here, *name.split(".")[1:]])]
    sys.modules[name] = module
    type(body)(body.__code__, module.__dict__)()
    if parent:
        setattr(sys.modules[parent], own_name, module)


here = load.__code__.co_filename.rpartition("/")[0]
if sys.flags.no_site:  # Python's own directories come first, and no program beside the one that runs is a module
    programs = __file__.rpartition("/")[0]
    sys.path = [*[directory for directory in sys.path if directory != programs], here.rpartition("/")[0]]
for each in ({modules}):
    load(*each)
"""


class Hook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds to a wheel what is made when it is built: the client in C, and the amalgamation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        self._directory = tempfile.TemporaryDirectory()
        made, root, editable = Path(self._directory.name), Path(self.root), version == "editable"
        self._add_client(made, root / "rdo" if editable else None, build_data)
        if not editable:  # which is for those who change the modules themselves
            (made / "amalgamation.py").write_text(
                amalgamate({name: source(root, name).read_text("utf-8") for name in MODULES}), "utf-8"
            )
            build_data["force_include"][str(made / "amalgamation.py")] = NAME

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


def source(root: Path, name: str) -> Path:
    """The file of a module, or of a package itself."""
    path = root.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def amalgamate(texts: Mapping[str, str]) -> str:
    """One module out of these, each by its name, a package before its modules. No text may annotate a name of its
    module: that has to be a global.
    """
    bodies = (body(name.replace(".", "_"), text) for name, text in texts.items())
    packages = {name.rpartition(".")[0] for name in texts}
    modules = (f'({name.replace(".", "_")}, "{name}", {name in packages})' for name in texts)
    return "\n\n".join([HEAD, *bodies, RUN.format(modules=", ".join(modules))])


def body(name: str, text: str) -> str:
    """A function that does what a module of this text does when it is loaded."""
    given = names(text)
    return f"def {name}():\n" + (f"    global {given}\n" if given else "") + indent(text, "    ")


def names(text: str) -> str:
    """The names that a module gives to something, with commas between."""
    symbols = symtable.symtable(text, "", "exec").get_symbols()
    return ", ".join(symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported())
