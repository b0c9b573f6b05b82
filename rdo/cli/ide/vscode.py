"""What VS Code needs: tasks with problem matchers, and the settings of extensions that start a tool. Pure.

Names and forms as in VS Code's own schema of tasks.json (src/vs/workbench/contrib/tasks/common/jsonSchema_v2.ts) and in
the `contributes.configuration` of each extension's package.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rdo.cli.ide.draft import SHIMS, Draft, Project
from rdo.cli.ide.toolset import FILE, Messages, Tool, ToolGroup
from rdo.errors import RdoError
from rdo.util import jsonc

TASKS, SETTINGS = ".vscode/tasks.json", ".vscode/settings.json"

VERSION = "2.0.0"

HERE = "${workspaceFolder}"

PREFIX = "rdo: "
"""The prefix of the labels of rdo's tasks, by which they are recognised."""

EXECUTABLES: Mapping[str, tuple[str, bool]] = {
    "mypy": ("mypy-type-checker.path", True),
    "make": ("makefile.makePath", False),
    "cmake": ("cmake.cmakePath", False),
    "ctest": ("cmake.ctestPath", False),
}
"""For each tool, the setting that names its executable, and whether that is a list of words."""

FORMER: Mapping[str, str] = {"python": "python.defaultInterpreterPath", "pytest": "python.testing.pytestPath"}
"""Settings that earlier releases of rdo made, and that do not work; see NOTES."""

NOTES: Mapping[str, str] = {
    "eslint": "`eslint.runtime` is left alone: the extension talks to it over a descriptor that stays here",
    "jest": "`jest.jestCommandLine` is left alone: the extension adds a reporter that is not on the target",
    "pytest": "the test view is left alone: the Python extension starts pytest by a local interpreter, with a plug-in "
    "of its own that is not on the target; the task `rdo: pytest` shows what fails under Problems",
    "python": "`python.defaultInterpreterPath` is left alone: the extension takes only an interpreter of this machine, "
    "in which it runs files of its own; the task `rdo: python` runs the file that is open",
    "ruff": "`ruff.path` is left alone: it is a language server, in whose messages no path may be mapped",
}
"""Why a tool has no setting although there is one. Each has a task."""

_AT = {"file": 1, "line": 2, "column": 3}

PATTERNS: Mapping[Messages, tuple[str, Any]] = {
    Messages.GCC: (
        "error",
        {
            "regexp": r"^(.+?):(\d+):(?:(\d+):)?\s+(?:fatal\s+)?(error|warning|note|info):\s+(.*)$",
            **_AT,
            "severity": 4,
            "message": 5,
        },
    ),
    Messages.TRACEBACK: (
        "error",
        [{"regexp": r'^\s*File "(.+)", line (\d+)', "file": 1, "line": 2}, {"regexp": r"^\s*(.+)$", "message": 1}],
    ),
    Messages.PYTEST: (
        "error",
        {"regexp": r"^(\S.*?\.py):(\d+):(?:(\d+):)? (.*(?:Error|Exception|Failed|Exit).*)$", **_AT, "message": 4},
    ),
    Messages.RUFF: ("warning", {"regexp": r"^(.+?):(\d+):(\d+): (.*)$", **_AT, "message": 4}),
    Messages.MYPY: (
        "error",
        {"regexp": r"^(.+?):(\d+):(?:(\d+):)? (error|warning|note): (.*)$", **_AT, "severity": 4, "message": 5},
    ),
    Messages.JEST: (
        "error",
        {"regexp": r"^\s+(at (?:.* \()?(.+?):(\d+):(\d+)\)?)$", "file": 2, "line": 3, "column": 4, "message": 1},
    ),
    Messages.RUSTC: (
        "error",
        [
            {"regexp": r"^(error|warning)(?:\[(.+)\])?: (.*)$", "severity": 1, "code": 2, "message": 3},
            {"regexp": r"^\s+--> (.+):(\d+):(\d+)$", **_AT},
        ],
    ),
}
"""For what VS Code has no matcher of its own: the severity where a message has none, and how a message is taken apart.

A pattern of one line has a group for the column, even where there never is one: else VS Code takes the third.
"""

OWN_MATCHERS = {Messages.STYLISH: "$eslint-stylish", Messages.TSC: "$tsc", Messages.GO: "$go"}
"""Matchers that come with VS Code. `$gcc`, `$python` and `$rustc` come with extensions that may be missing."""


def drafts(tools: Sequence[Tool], project: Project) -> Iterator[Draft]:
    """The two files. Raises RdoError where one of them cannot be read as JSON."""
    for path, change in ((TASKS, _tasks), (SETTINGS, _settings)):
        text = project.read(path) or ""
        try:
            yield change(path, text, tools, project.force)
        except ValueError as error:
            raise RdoError(f"cannot add to `{path}`", str(error), "correct it, or move it away") from None


def notes(tools: Sequence[Tool]) -> list[str]:
    """What the user may have expected, and why it is different."""
    return [NOTES[tool.name] for tool in tools if tool.name in NOTES]


def shim(name: str) -> str:
    """The path of a shim in the form that VS Code expects."""
    return f"{HERE}/{SHIMS}/{name}"


def _settings(path: str, text: str, tools: Sequence[Tool], force: bool) -> Draft:
    now, kept = jsonc.loads(text), []
    for tool in tools:
        former = FORMER.get(tool.name, "")
        if isinstance(now, dict) and now.get(former) == shim(tool.executable):
            kept.append(f"`{former}` in {path}, which does not work with a shim: remove it")
        if tool.name not in EXECUTABLES:
            continue
        key, is_list = EXECUTABLES[tool.name]
        value = [shim(tool.executable)] if is_list else shim(tool.executable)
        if isinstance(now, dict) and now.get(key, value) != value and not force:
            kept.append(f"`{key}` in {path}")
        else:
            text = _put(text, [key], value)
    return Draft(path, text, tuple(kept))


def _tasks(path: str, text: str, tools: Sequence[Tool], force: bool) -> Draft:
    now, kept = jsonc.loads(text), []
    if isinstance(now, dict) and now.get("version", VERSION) != VERSION:
        raise ValueError(f"its version is {now['version']}, not {VERSION}")
    text = _put(text, ["version"], VERSION)
    for ours in _with_defaults([task(tool) for tool in tools], now):
        label = ours["label"]
        there = jsonc.loads(text).get("tasks", [])
        labels = [each.get("label") for each in there if isinstance(each, dict)] if isinstance(there, list) else []
        if label not in labels:
            text = jsonc.append(text, ["tasks"], ours)
        elif there[labels.index(label)] == ours or force:
            text = _put(text, ["tasks", labels.index(label)], ours)
        else:
            kept.append(f"the task `{label}` in {path}")
    return Draft(path, text, tuple(kept))


def _put(text: str, path: jsonc.Path, value: Any) -> str:
    """The text with the value set; unchanged if it has that value, however it is written."""
    node = jsonc.find(jsonc.parse(text), path)
    return text if node and node.value == value else jsonc.put(text, path, value)


def task(tool: Tool) -> dict[str, Any]:
    """The task that starts the tool."""
    group = {ToolGroup.BUILD: {"group": "build"}, ToolGroup.TEST: {"group": "test"}}.get(tool.group, {})
    return {
        "label": PREFIX + tool.name,
        "type": "process",
        "command": shim(tool.executable),
        "args": ["${file}" if argument == FILE else argument for argument in tool.arguments],
        "options": {"cwd": HERE},
        **group,
        "problemMatcher": matcher(tool.messages),
    }


def matcher(messages: Messages) -> Any:
    """The problem matcher for messages of that form."""
    if messages in OWN_MATCHERS:
        return OWN_MATCHERS[messages]
    if messages not in PATTERNS:
        return []
    severity, pattern = PATTERNS[messages]
    return {
        "owner": f"rdo-{messages.value}",
        "source": messages.value,
        "severity": severity,
        "fileLocation": ["autoDetect", HERE],
        "pattern": pattern,
    }


def _with_defaults(ours: Sequence[dict[str, Any]], now: Any) -> Sequence[dict[str, Any]]:
    """Make the first task of a group the one that its key starts, unless one of the user's is."""
    there = now.get("tasks", []) if isinstance(now, dict) else []
    own = [each for each in there if isinstance(each, dict) and not str(each.get("label", "")).startswith(PREFIX)]
    taken = {each["group"].get("kind") for each in own if isinstance(each.get("group"), dict)}
    for each in ours:
        if "group" in each and each["group"] not in taken:
            taken.add(each["group"])
            each["group"] = {"kind": each["group"], "isDefault": True}
    return ours
