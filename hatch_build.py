"""The amalgamation: the modules that every command loads as one, made when a wheel is built.

Python takes longer to find ten modules and to open their files than to load what is in them, and a command has little
else to wait for: this spares it an eighth of its CPU. Each text becomes the body of a function, which is run once with
the names of its module as globals: so nothing differs from the modules but the file that they are read from. It needs
no package to be there: it makes that, too, and so can be loaded without any search. Run by bin/rdo-client, among whose
globals it looks for the name of that file.
"""

from __future__ import annotations

import symtable
import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

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


class Amalgamation(BuildHookInterface):  # type: ignore[type-arg]
    """Adds it to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds. An editable wheel is for those who edit the modules themselves."""
        if version == "editable":
            return
        texts = {name: source(Path(self.root), name).read_text("utf-8") for name in MODULES}
        self._directory = tempfile.TemporaryDirectory()
        made = Path(self._directory.name) / "amalgamation.py"
        made.write_text(amalgamate(texts), "utf-8")
        build_data["force_include"][str(made)] = NAME

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when it has built."""
        if version != "editable":
            self._directory.cleanup()


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
