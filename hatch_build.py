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
    "__init__", "errors", "argv", "discovery", "__main__", "protocol", "control", "request", "output",
    "foreground", "running_command", "client",
)  # fmt: skip
"""The package itself, and its modules in the order in which they need each other."""

NAME = "rdo/amalgamation.py"

HEAD = '"""Made of the modules that are named at the end, by hatch_build.py, for speed. Change those; build anew."""'

RUN = """\
import sys


def load(body, name):
    module = type(sys)(name)
    module.__package__ = "rdo"
    sys.modules[name] = module
    type(body)(body.__code__, module.__dict__)()
    return module


here = load.__code__.co_filename.rpartition("/")[0]
if sys.flags.no_site:  # Python's own folders come first, and no program beside the one that runs is a module
    programs = __file__.rpartition("/")[0]
    sys.path = [*[folder for folder in sys.path if folder != programs], here.rpartition("/")[0]]
package = load({package}, "rdo")
package.__path__ = [here]
for body in ({modules}):
    setattr(package, body.__name__, load(body, f"rdo.{{body.__name__}}"))
"""


class Amalgamation(BuildHookInterface):  # type: ignore[type-arg]
    """Adds it to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds. An editable wheel is for those who edit the modules themselves."""
        if version == "editable":
            return
        package = Path(self.root) / "rdo"
        self._folder = tempfile.TemporaryDirectory()
        made = Path(self._folder.name) / "amalgamation.py"
        made.write_text(amalgamate({name: (package / f"{name}.py").read_text("utf-8") for name in MODULES}), "utf-8")
        build_data["force_include"][str(made)] = NAME

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when it has built."""
        if version != "editable":
            self._folder.cleanup()


def amalgamate(texts: Mapping[str, str]) -> str:
    """One module out of these, each by its name, the package first. No text may annotate a name of its module: that has
    to be a global.
    """
    bodies = (f"def {name}():\n    global {names(text)}\n{indent(text, '    ')}" for name, text in texts.items())
    package, *modules = texts
    return "\n\n".join([HEAD, *bodies, RUN.format(package=package, modules=", ".join(modules))])


def names(text: str) -> str:
    """The names that a module gives to something, with commas between."""
    symbols = symtable.symtable(text, "", "exec").get_symbols()
    return ", ".join(symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported())
