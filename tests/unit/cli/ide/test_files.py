"""Tests for the files for Emacs, Vim, and the JetBrains IDEs."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rdo.cli.ide import emacs, jetbrains, toolset, vim
from rdo.cli.ide.draft import Draft, Project
from rdo.cli.ide.toolset import TOOLS
from rdo.errors import RdoError

KNOWN = json.loads((Path(__file__).parents[3] / "schemas" / "jetbrains.json").read_text())

NAMES = [*TOOLS]


def project(files: dict[str, str], force: bool = False) -> Project:
    return Project('/p "x"', files.get, force)


# JetBrains


def configurations(files: dict[str, str], *names: str) -> list[Draft]:
    return list(jetbrains.drafts(toolset.named(names), project(files)))


def test_a_run_configuration_has_the_shape_that_the_ide_saves() -> None:
    drafts = configurations({}, *NAMES)
    assert [draft.path for draft in drafts][:2] == [".run/rdo make.run.xml", ".run/rdo cmake.run.xml"]
    assert not any("python" in draft.path for draft in drafts)  # which requires a file to run
    for draft in drafts:
        root = ElementTree.fromstring(draft.text)
        assert (root.tag, dict(root.attrib)) == ("component", {"name": "ProjectRunConfigurationManager"})
        (configuration,) = root
        assert [*configuration.attrib] == KNOWN["configuration"]["attributes"]
        assert configuration.get("type") == "ShConfigurationType"
        assert [option.get("name") for option in configuration.iter("option")] == KNOWN["configuration"]["options"]
        assert configuration.find("envs") is not None
        assert configuration.find("method") is not None


def test_a_run_configuration_that_was_changed_is_left_alone_unless_forced() -> None:
    (draft,) = configurations({}, "make")
    assert configurations({draft.path: draft.text}, "make") == [draft]
    (kept,) = configurations({draft.path: "<mine/>"}, "make")
    assert (kept.text, kept.kept) == ("<mine/>", (f"`{draft.path}`, which differs",))
    (forced,) = jetbrains.drafts(toolset.named(["make"]), project({draft.path: "<mine/>"}, force=True))
    assert forced == draft


def test_external_tools_have_the_shape_that_the_ide_saves() -> None:
    (draft,) = jetbrains.tool_drafts(toolset.named(NAMES), project({}), ["/ide"])
    assert draft.path == "/ide/tools/rdo.xml"
    root = ElementTree.fromstring(draft.text)
    assert (root.tag, root.get("name")) == ("toolSet", "rdo")
    assert [tool.get("name") for tool in root] == NAMES
    for tool in root:
        assert [*tool.attrib] == KNOWN["tool"]["attributes"]
        first, *filters = tool
        assert (first.tag, [option.get("name") for option in first]) == ("exec", KNOWN["tool"]["exec"])
        for each in filters:
            assert (each.tag, [option.get("name") for option in each]) == ("filter", KNOWN["tool"]["filter"])


def test_external_tools_that_are_there_stay_as_they_are() -> None:
    text = '<toolSet name="rdo">\n  <!-- mine -->\n  <tool name="make" disabled="true" />\n</toolSet>'
    merged = jetbrains.merge("rdo.xml", text, toolset.named(["make", "mypy"]))
    assert merged.startswith(text.removesuffix("</toolSet>") + '  <tool name="mypy" ')
    assert jetbrains.merge("rdo.xml", merged, toolset.named(["make", "mypy"])) == merged


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<toolSet>", "no element found: line 1, column 9"),
        ("<toolSet/>", "it does not end with `</toolSet>`"),
    ],
)
def test_external_tools_that_cannot_be_added_to_are_named_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(RdoError) as caught:
        jetbrains.merge("rdo.xml", text, toolset.named(["make"]))
    assert str(caught.value).startswith(f"cannot add to `rdo.xml`: {why}")


def test_the_place_of_external_tools_is_reported() -> None:
    assert "rdoctl ide jetbrains --tools" in jetbrains.notes([])[0]


# Emacs


def test_emacs_gets_lisp_strings() -> None:
    (draft,) = emacs.drafts(toolset.named(["ruff", "pytest", "make"]), project({}))
    assert draft.path == ".dir-locals-2.el"
    assert """compile-command . "cd '/p \\"x\\"' && '/p \\"x\\"/.rdo/bin/make'")""" in draft.text
    assert '(python-pytest-executable . "/p \\"x\\"/.rdo/bin/pytest")' in draft.text
    assert draft.text.count("(") == draft.text.count(")")


def test_emacs_compiles_by_running_the_tests_if_nothing_is_built() -> None:
    assert "bin/pytest" in emacs.render(toolset.named(["python", "pytest"]), project({})).split("\n")[2]
    assert "compile-command" not in emacs.render(toolset.named(["python"]), project({}))


def test_a_file_of_emacs_that_is_the_users_own_is_left_alone() -> None:
    (kept,) = emacs.drafts(toolset.named(["make"]), project({".dir-locals-2.el": "()"}))
    assert (kept.text, kept.kept) == ("()", ("`.dir-locals-2.el`, which differs",))
    assert "trust" in emacs.notes([])[0]


# Vim


def exrc(now: str, *names: str) -> str:
    (draft,) = vim.drafts(toolset.named(names), project({".exrc": now} if now else {}))
    assert draft.path == ".exrc"
    return draft.text


@pytest.mark.parametrize("own", ["", "set sw=2\n", "set sw=2"])
def test_vims_file_is_added_to_and_a_second_run_changes_nothing(own: str) -> None:
    once = exrc(own, *NAMES)
    assert once.startswith(own)
    assert exrc(once, *NAMES) == once


def test_only_our_block_is_replaced() -> None:
    text = exrc("set sw=2\n", "make") + "set et\n"
    assert exrc(text, "make", "mypy") == exrc("set sw=2\n", "make", "mypy") + "set et\n"


def test_vim_has_a_command_for_each_tool_and_makes_with_the_builder() -> None:
    text = exrc("", "pytest", "my-tool", "cmake")
    for name in ("RdoPytest", "RdoMyTool", "RdoCmake"):
        assert f" {name} call " in text
    assert "let &makeprg = escape(shellescape(s:bin . 'cmake'), '%#') . ' --build build'" in text
    assert "makeprg = escape" not in exrc("", "pytest")
    assert "exrc" in vim.notes([])[0]


# Tools


def test_tools_are_named_once_and_unknown_ones_run_as_they_are() -> None:
    first, second = toolset.named(["gradle", "jest", "gradle"])
    assert (first.line, second.line) == (("gradle",), ("npx", "jest"))
    assert toolset.executables([first, second, TOOLS["eslint"]]) == ["gradle", "npx"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", "a b", "a\n", "a'b", "$x", "a`b"])
def test_an_invalid_name_of_a_tool_is_refused(name: str) -> None:
    with pytest.raises(RdoError, match="is not a valid tool name"):
        toolset.named([name])


def test_emacs_gets_no_shim_as_its_python_shell_and_the_reason_is_given() -> None:
    assert "python-shell-interpreter" not in emacs.render(toolset.named(["python", "pytest"]), project({}))
    assert "`python-shell-interpreter` is left alone" in emacs.notes(toolset.named(["python"]))[1]
    assert len(emacs.notes(toolset.named(["pytest"]))) == 1
