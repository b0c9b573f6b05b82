"""The amalgamation of the client's modules: whatever they hold, it holds too, and by the same names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from hatch_build import MODULES, amalgamate, names, source
from tests.unit.client.test_hot_path import BOUND, CLIENT, TOP

LIST = """
import json, re, sys

ADDRESS = re.compile(" at 0x[0-9a-f]+")

def shown(value):
    about = ("__module__", "__qualname__", "__doc__")
    return [getattr(value, each, "") for each in about] if callable(value) else ADDRESS.sub("", repr(value))

def content(module):
    made = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    return {name: shown(value) for name, value in made.items() if type(value) is not type(sys)}

print(json.dumps({name: content(sys.modules[name]) for name in sys.argv[2:]}))
"""

NAMES = list(MODULES)


def contents(statement: str, directory: Path) -> dict[str, dict[str, object]]:
    """What each of the modules holds after a statement, which finds `directory` as sys.argv[1]."""
    argv = [sys.executable, "-S", "-c", f"import sys\n{statement}{LIST}", str(directory), *NAMES]
    same = {**os.environ, "PYTHONHASHSEED": "0"}  # sets show their items in an order
    done = subprocess.run(argv, env=same, capture_output=True, text=True, check=True, timeout=BOUND)
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    for module in found.values():
        for name in ("LOADED_AT", "CPU_SECONDS"):  # which are of each process its own
            module.pop(name, None)
    return found


def test_it_is_made_of_what_every_command_loads() -> None:
    assert set(NAMES) == CLIENT


def test_it_holds_what_the_modules_hold(tmp_path: Path) -> None:
    texts = {name: source(TOP, name).read_text() for name in MODULES}
    made = tmp_path / "amalgamation.py"
    made.write_text(amalgamate(texts))
    apart = contents(f"sys.path[:0] = sys.argv[1:2]\nimport {', '.join(NAMES)}", TOP)
    as_one = contents("exec(compile(open(sys.argv[1]).read(), sys.argv[1], 'exec'), {'__file__': ''})", made)
    assert without_indents(as_one) == without_indents(apart)
    assert len(apart["rdo.client.main"]) > 5


def without_indents(found: dict[str, dict[str, object]]) -> object:
    """The same with no white space at the start of a docstring's line, which stands further to the right there."""
    return json.loads(json.dumps(found).replace("    ", ""))


def test_the_names_of_a_module_are_all_that_it_gives_something_to() -> None:
    text = "import a.b\nfrom c import d as e\nF, G = 1, 2\nfor h in (): pass\ndef i(j): k = 1\nclass L: m = n\n"
    assert names(text).split(", ") == ["a", "e", "F", "G", "h", "i", "L"]
