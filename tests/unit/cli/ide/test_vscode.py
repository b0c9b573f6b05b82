"""Tests for VS Code's files: what is added, what is left alone, and that VS Code knows each name in them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rdo.cli.ide import toolset, vscode
from rdo.cli.ide.draft import Draft, Project
from rdo.cli.ide.toolset import TOOLS, Messages
from rdo.errors import RdoError
from rdo.util import jsonc

SCHEMAS = Path(__file__).parents[3] / "schemas"

TASKS, SETTINGS = vscode.TASKS, vscode.SETTINGS

OWN_TASKS = """\
{
  // mine
  "version": "2.0.0",
  "tasks": [
    { "label": "all", "group": { "kind": "build", "isDefault": true }, "command": "x" }, // the build
  ],
}
"""

OWN_SETTINGS = """\
{
  "cmake.cmakePath": "/usr/bin/cmake", // my own
  "editor.rulers": [ 80 ]
}
"""


def drafts(files: dict[str, str], names: Sequence[str], force: bool = False) -> dict[str, Draft]:
    """The drafts of the files, by their paths."""
    project = Project("/p", files.get, force)
    return {draft.path: draft for draft in vscode.drafts(toolset.named(names), project)}


def texts(made: dict[str, Draft]) -> dict[str, str]:
    return {path: draft.text for path, draft in made.items()}


def check(text: str, schema: str) -> None:
    """Check that the editor accepts everything in it."""
    jsonschema.validate(jsonc.loads(text), json.loads((SCHEMAS / schema).read_text()))


@pytest.mark.parametrize("names", [[*TOOLS], *([name] for name in TOOLS), ["gradle"]], ids=str)
def test_vscode_knows_what_is_written_and_a_second_run_changes_nothing(names: list[str]) -> None:
    made = drafts({}, names)
    check(made[TASKS].text, "vscode-tasks.json")
    check(made[SETTINGS].text or "{}", "vscode-settings.json")
    again = drafts(texts(made), names)
    assert again == made
    assert not any(draft.kept for draft in again.values())


def test_the_schema_refuses_what_vscode_does_not_know() -> None:
    task = vscode.task(TOOLS["make"])
    for wrong in ({"lable": "x"}, {"type": "proces"}, {"group": "lint"}, {"problemMatcher": "$gcc"}):
        with pytest.raises(jsonschema.ValidationError):
            check(json.dumps({"version": "2.0.0", "tasks": [{**task, **wrong}]}), "vscode-tasks.json")


def test_existing_files_are_added_to_and_keep_their_comments() -> None:
    made = drafts({TASKS: OWN_TASKS, SETTINGS: OWN_SETTINGS}, ["make", "pytest"])
    head, tail = OWN_TASKS.split("  ],\n")
    assert made[TASKS].text.startswith(head)
    assert made[TASKS].text.endswith("    },\n  ],\n" + tail)
    assert made[SETTINGS].text.startswith(OWN_SETTINGS.replace("[ 80 ]\n}\n", "[ 80 ],\n"))
    labels = [task["label"] for task in jsonc.loads(made[TASKS].text)["tasks"]]
    assert labels == ["all", "rdo: make", "rdo: pytest"]


def test_a_default_task_of_the_users_own_stays_the_default() -> None:
    tasks = jsonc.loads(drafts({TASKS: OWN_TASKS}, ["make", "pytest", "ctest", "ruff"])[TASKS].text)["tasks"]
    groups = {task["label"]: task.get("group") for task in tasks}
    assert groups["rdo: make"] == "build"
    assert groups["rdo: pytest"] == {"kind": "test", "isDefault": True}
    assert (groups["rdo: ctest"], groups["rdo: ruff"]) == ("test", None)


def test_a_value_that_differs_is_left_alone_and_named_unless_forced() -> None:
    made = drafts({SETTINGS: OWN_SETTINGS}, ["cmake"])[SETTINGS]
    assert (made.text, made.kept) == (OWN_SETTINGS, (f"`cmake.cmakePath` in {SETTINGS}",))
    forced = drafts({SETTINGS: OWN_SETTINGS}, ["cmake"], force=True)[SETTINGS]
    assert forced.text == OWN_SETTINGS.replace("/usr/bin/cmake", "${workspaceFolder}/.rdo/bin/cmake")
    assert forced.kept == ()


@pytest.mark.parametrize("tool", ["python", "pytest"])
def test_a_shim_is_never_an_interpreter_and_an_earlier_one_has_to_be_removed(tool: str) -> None:
    assert jsonc.loads(drafts({}, [tool])[SETTINGS].text) == {}
    key = vscode.FORMER[tool]
    former = json.dumps({key: "${workspaceFolder}/.rdo/bin/" + tool})
    made = drafts({SETTINGS: former}, [tool])[SETTINGS]
    assert (made.text, made.kept) == (former, (f"`{key}` in {SETTINGS}, which does not work with a shim: remove it",))
    (note,) = vscode.notes(toolset.named([tool]))
    assert f"the task `rdo: {tool}`" in note


def test_a_task_that_differs_is_left_alone_and_named_unless_forced() -> None:
    changed = drafts({}, ["make"])[TASKS].text.replace('"args": []', '"args": ["-k"] /* mine */')
    made = drafts({TASKS: changed}, ["make"])[TASKS]
    assert (made.text, made.kept) == (changed, (f"the task `rdo: make` in {TASKS}",))
    forced = drafts({TASKS: changed}, ["make"], force=True)[TASKS]
    assert (forced.text, forced.kept) == (drafts({}, ["make"])[TASKS].text, ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{\n"a" 1}', "line 2: expected `:`"),
        ("[]", "`version` is not inside an object"),
        ('{"tasks": {}}', "`tasks` is not an array"),
        ('{"version": "0.1.0"}', "its version is 0.1.0, not 2.0.0"),
    ],
)
def test_a_file_that_cannot_be_added_to_is_named_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(RdoError) as caught:
        drafts({TASKS: text}, ["make"])
    assert str(caught.value) == f"cannot add to `{TASKS}`: {why}; correct it, or move it away"
    with pytest.raises(RdoError, match=r"settings\.json"):
        drafts({SETTINGS: "[]"}, ["make"])


def test_entries_that_are_not_tasks_are_skipped() -> None:
    text = '{"tasks": ["x", {"label": "a", "group": "build"}]}'
    assert len(jsonc.loads(drafts({TASKS: text}, ["make"])[TASKS].text)["tasks"]) == 3


def test_a_setting_that_would_not_work_is_left_out_with_the_reason() -> None:
    notes = vscode.notes(toolset.named(["eslint", "make", "ruff"]))
    assert [note.split()[0] for note in notes] == ["`eslint.runtime`", "`ruff.path`"]


SAMPLES: dict[Messages, tuple[str, dict[str, str]]] = {
    Messages.GCC: (
        "gcc -c a.c\nsrc/a.c:3:5: error: expected ';'\n    3 | int\n",
        {"file": "src/a.c", "line": "3", "column": "5", "severity": "error", "message": "expected ';'"},
    ),
    Messages.TRACEBACK: (
        'Traceback (most recent call last):\n  File "/p/a b.py", line 3, in f\n    g()\nValueError: x\n',
        {"file": "/p/a b.py", "line": "3", "message": "g()"},
    ),
    Messages.PYTEST: (
        "E       assert 1 == 2\n\ntests/test_a.py:3: AssertionError\n= short test summary =\n",
        {"file": "tests/test_a.py", "line": "3", "message": "AssertionError"},
    ),
    Messages.RUFF: (
        "a.py:1:8: F401 [*] `os` imported but unused\nFound 1 error.\n",
        {"file": "a.py", "line": "1", "column": "8", "message": "F401 [*] `os` imported but unused"},
    ),
    Messages.MYPY: (
        'a.py:2: error: Name "x" is not defined  [name-defined]\nFound 1 error in 1 file\n',
        {"file": "a.py", "line": "2", "severity": "error", "message": 'Name "x" is not defined  [name-defined]'},
    ),
    Messages.JEST: (
        "    Expected: 3\n      at Object.<anonymous> (src/a.test.js:4:17)\n",
        {"file": "src/a.test.js", "line": "4", "column": "17"},
    ),
    Messages.RUSTC: (
        "error[E0425]: cannot find value `x`\n --> src/main.rs:2:5\n  |\n",
        {"severity": "error", "code": "E0425", "file": "src/main.rs", "line": "2", "column": "5"},
    ),
}


def found(pattern: Any, text: str) -> dict[str, str]:
    """What VS Code extracts at the first place where the pattern, or a sequence of them, matches consecutive lines."""
    patterns = pattern if isinstance(pattern, list) else [pattern]
    lines = text.splitlines()
    for start in range(len(lines) - len(patterns) + 1):
        matches = [re.match(each["regexp"], line) for each, line in zip(patterns, lines[start:], strict=False)]
        if all(matches):
            groups = {
                (name, match[number])
                for each, match in zip(patterns, matches, strict=True)
                for name, number in each.items()
                if match and isinstance(number, int) and match[number]
            }
            return dict(groups)
    return {}


@pytest.mark.parametrize("messages", SAMPLES, ids=lambda messages: messages.value)
def test_a_matcher_finds_location_and_message(messages: Messages) -> None:
    text, expected = SAMPLES[messages]
    seen = found(vscode.matcher(messages)["pattern"], text)
    assert {name: seen.get(name) for name in expected} == expected


def test_each_message_format_has_a_sample_or_a_matcher_of_vscode() -> None:
    assert {*SAMPLES, *vscode.OWN_MATCHERS, Messages.NONE} == set(Messages)
