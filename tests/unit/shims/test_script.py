"""Tests for the text of shims, with each shell that may be /bin/sh, and a fake rdo that prints its arguments."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rdo.shims import script as shim
from tests.unit.remote_sh.shells import SHELLS, TIMEOUT, each_shell

RDO = """\
#!/bin/sh
printf '<%s>' "$0" "$@"
"""
TOOL = '#!/bin/sh\nprintf "tool <%s>" "$@"\nexit 3\n'

ODD = ["plain", "two words", "it's", 'a"b', "new\nline", "$HOME `id`", "back\\slash", "*", "-x", "a\\"]


@pytest.fixture(params=ODD)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project with any directory name, and a program `rdo` in another directory."""
    directory = tmp_path / str(request.param) / "project"
    directory.mkdir(parents=True)
    return directory


def program(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_bytes(os.fsencode(text))
    path.chmod(0o755)
    return path


def run(shell: str, path: Path, *words: str, **environ: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of a shim that is started with only the given environment."""
    command = [*SHELLS[shell].split(), str(path), *words]
    command[0] = str(shutil.which(command[0]))
    done = subprocess.run(command, env=environ, cwd="/", capture_output=True, text=True, timeout=TIMEOUT, check=False)
    return done.returncode, done.stdout, done.stderr


@each_shell
def test_it_calls_the_built_in_rdo_with_unchanged_arguments(shell: str, project: Path) -> None:
    rdo = program(project / "there", "rdo", RDO)
    path = program(project / ".rdo/bin", "g++", shim.render("g++", str(project), "", str(rdo)))
    words = ["", "a b", "*", "it's", "$x", "\n", "-x"]
    expected = [str(rdo), "--project", str(project), *shim.OPTIONS.split(), "g++", *words]
    assert run(shell, path, *words, PATH="/usr/bin:/bin") == (0, "".join(f"<{word}>" for word in expected), "")


@each_shell
def test_a_profile_is_built_in_if_there_is_one(shell: str, tmp_path: Path) -> None:
    rdo = program(tmp_path, "rdo", RDO)
    path = program(tmp_path, "make", shim.render("make", "/p", "it's", str(rdo)))
    assert "<-p><it's>" in run(shell, path, PATH="/usr/bin:/bin")[1]


@each_shell
def test_if_that_rdo_is_gone_the_one_in_path_is_called(shell: str, tmp_path: Path) -> None:
    rdo = program(tmp_path / "other", "rdo", RDO)
    path = program(tmp_path, "make", shim.render("make", str(tmp_path), "", "/nowhere/rdo"))
    assert run(shell, path, PATH=f"/usr/bin:{rdo.parent}")[1].startswith(f"<{rdo}><--project>")


@each_shell
def test_without_any_rdo_it_reports_that(shell: str, tmp_path: Path) -> None:
    path = program(tmp_path / "x", "make", shim.render("make", str(tmp_path), "", "/nowhere/rdo"))
    program(tmp_path / "tools", "make", TOOL)
    status, out, err = run(shell, path, PATH=str(tmp_path / "tools"))
    assert (status, out, err.count("\n")) == (255, "", 1)
    assert err.startswith("rdo: cannot find `rdo`: ")


@each_shell
def test_inside_it_runs_the_next_tool_in_path_that_is_not_a_shim(shell: str, project: Path) -> None:
    text = shim.render("make", str(project), "", "/bin/false")
    path = program(project / ".rdo/bin", "make", text)
    program(project / "other", "make", shim.render("make", "/other", "", "/bin/false"))
    (project / "linked").mkdir()
    (project / "linked" / "make").symlink_to(path)
    (project / "directory" / "make").mkdir(parents=True)
    program(project / "plain", "make", TOOL).chmod(0o644)
    program(project / "tools", "make", TOOL)
    directories = [".rdo/bin", "other", "linked", "directory", "plain", "tools"]
    search = ":".join(["", "/nowhere", *(f"{project}/{directory}" for directory in directories), "/usr/bin", "/bin"])
    for inside in (str(project), f"/a:{project}", f"{project}:/b"):
        assert run(shell, path, "a b", "", PATH=search, RDO_INSIDE=inside) == (3, "tool <a b>tool <>", "")


@each_shell
def test_inside_another_project_it_calls_rdo(shell: str, tmp_path: Path) -> None:
    path = program(tmp_path, "make", shim.render("make", "/a/b", "", str(program(tmp_path, "rdo", RDO))))
    for inside in ("/a", "/a/b/c", "/x/a/b", "/a/*", "b"):
        assert "<--project></a/b>" in run(shell, path, PATH="/usr/bin:/bin", RDO_INSIDE=inside)[1]


@each_shell
def test_without_project_and_rdo_it_is_on_the_target(shell: str, tmp_path: Path) -> None:
    path = program(tmp_path / "shared", "make", shim.render("make", str(tmp_path / "gone"), "", "/nowhere/rdo"))
    program(tmp_path / "tools", "make", TOOL)
    search = f"{path.parent}:{tmp_path}/tools:/usr/bin:/bin"
    assert run(shell, path, "x", PATH=search) == (3, "tool <x>", "")


@each_shell
def test_inside_a_missing_tool_is_not_found(shell: str, tmp_path: Path) -> None:
    path = program(tmp_path, "no-such-tool", shim.render("no-such-tool", "/p", "", "/bin/false"))
    status, out, err = run(shell, path, PATH=f"{tmp_path}:/usr/bin:/bin", RDO_INSIDE="/p")
    assert (status, out) == (127, "")
    assert err == "rdo: `no-such-tool` is not installed here: PATH has only shims of that name\n"


def test_a_shim_is_known_by_its_second_line() -> None:
    text = shim.render("make", "/p", "", "/rdo").encode()
    assert shim.is_shim(text)
    assert not shim.is_shim(text.partition(b"\n")[2])
    assert not shim.is_shim(b"#!/bin/sh\n# mine\n" + text)
    assert not shim.is_shim(b"")
    assert not shim.is_shim(b"\x7fELF\0\n\n")


@pytest.mark.parametrize("name", ["pytest", "g++", "python3.11", "clang-15", "_x", "7z", "a.b.c"])
def test_a_valid_name_of_a_tool_is_accepted(name: str) -> None:
    assert shim.refusal(name) == ""


@pytest.mark.parametrize("name", ["", "a/b", "/bin/ls", ".", "..", "-x", ".x", "a b", "a\n", "a'", "$x", "ä", "["])
def test_an_invalid_name_is_refused(name: str) -> None:
    assert "letters" in shim.refusal(name)


@pytest.mark.parametrize("name", ["rdo", "rdo-client", "rdoctl", "rdo-rsh"])
def test_rdo_itself_has_no_shim(name: str) -> None:
    assert shim.refusal(name) == "it would call itself"


def test_directories_of_shims_are_removed_from_path() -> None:
    path = "/a:/p/.rdo/bin:/q/.rdo/bin/:/s/shims/p-1:/s/shims2:/s/shims::/b.rdo/bin:/c"
    assert shim.without_shims(path, "/s/shims") == ["/a", "/s/shims2", "/s/shims", "", "/b.rdo/bin", "/c"]


@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
@example("it's a \\ 'b\\' \n $x `y` !z\\")
def test_a_shell_evaluates_the_assignment_of_path(path: str) -> None:
    script = shim.assignment(path) + '; /usr/bin/printf %s "$PATH"'
    assert subprocess.run(["/bin/sh", "-c", script], capture_output=True, timeout=TIMEOUT).stdout == path.encode()
