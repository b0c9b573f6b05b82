"""A clone of somebody else's: what it sets counts by where it stands, and what it shows cannot lie."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from rdo.config.document import FILE_LIMIT
from rdo.config.names import NAME_LIMIT, PATH_LIMIT
from rdo.config.schema import KEYS
from rdo.printable import width
from tests.e2e.masters import report
from tests.e2e.project import Project, Result, local_project
from tests.e2e.terminal import Terminal

TRUE = 'map_args = true\nidle_timeout = "1h"\non_disconnect = "keep"\nconnect_timeout = 5\nmap_output = false\n'


@pytest.fixture
def clone(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A clone in which nothing is allowed yet; where its commands go is the user's own word, for all projects."""
    environment = {name: value for name, value in runtime.items() if name != "RDO_TRUST"}
    clone = local_project(tmp_path, environment)
    own = Path(environment["XDG_CONFIG_HOME"], "rdo")
    own.mkdir(parents=True)
    (clone.local / ".rdo.conf").rename(own / "config.toml")
    (own / "config.toml").write_text((own / "config.toml").read_text() + 'env = { MINE = "1" }\n')
    clone.configure("")
    return clone


def run(clone: Project, *words: str) -> Result:
    return clone.run(*(words or ("true",)), start_new_session=True)


def test_with_a_target_of_the_users_own_an_empty_config_needs_no_word(clone: Project) -> None:
    assert run(clone).returncode == 0
    clone.configure(TRUE)
    assert run(clone).returncode == 0


@pytest.mark.parametrize("file", [".rdo.conf", ".rdo.local.conf"])
@pytest.mark.parametrize(
    "line",
    [
        'path = ["bin"]',
        'env = { BASH_ENV = "./evil" }',
        'env = { MINE = "2" }',
        "env.LD_PRELOAD = './evil.so'",
        "login = true",
        "use_sudo = true",
        'pass_env = ["*"]',
        "local_fallback = true",
        'directory = "/tmp"',
        'driver = "local"',
        "[default]\nlogin = true",
        '[default.env]\nENV = "./evil"',
    ],
)
def test_whatever_else_a_file_of_the_clone_sets_has_to_be_allowed(clone: Project, file: str, line: str) -> None:
    (clone.remote / "bin").mkdir()
    (clone.remote / "bin" / "ls").write_text(f"#!/bin/sh\ntouch {clone.local.parent}/evil\n".replace(" p", r"\ p"))
    (clone.remote / "bin" / "ls").chmod(0o755)
    (clone.local / file).write_text(line + "\n")
    result = run(clone, "ls")
    assert result.returncode == 255
    assert b"is not allowed yet" in result.stderr
    assert not (clone.local.parent / "evil").exists()


@pytest.mark.parametrize("wish", ["0", '"366d"'])
def test_how_long_its_connection_stays_is_a_clone_s_word_once_it_is_allowed(clone: Project, wish: str) -> None:
    clone.configure(f"login = true\nidle_timeout = {wish}\n")
    for _ in range(2):
        assert run(clone).returncode == 255
        assert report(clone)["targets"] == []
    assert clone.shell("rdoctl allow --yes").returncode == 0
    assert run(clone).returncode == 0
    assert [target["idle_timeout"] for target in report(clone)["targets"]] == [0 if wish == "0" else 366 * 86400]


def test_what_is_denied_again_is_refused_though_its_master_lives(clone: Project) -> None:
    clone.configure("login = true\n")
    assert clone.shell("rdoctl allow --yes").returncode == 0
    assert run(clone).returncode == 0
    assert clone.shell("rdoctl deny").returncode == 0
    assert run(clone).returncode == 255


def test_what_the_user_sets_over_it_is_the_users_again(clone: Project) -> None:
    own = Path(clone.environment["XDG_CONFIG_HOME"], "rdo", "config.toml")
    own.write_text(own.read_text() + '[ci]\nlogin = false\nenv = { BASH_ENV = "" }\n')
    clone.configure('login = true\nenv = { BASH_ENV = "./evil" }\n')
    assert run(clone).returncode == 255
    assert run(clone, "-p", "ci", "true").returncode == 0


def screen_of(clone: Project, rows: int, columns: int) -> list[str]:
    """What stands on a terminal of this size when the question waits for its answer; nothing was scrolled away."""
    with Terminal(["rdoctl", "allow"], clone.local, clone.environment, (rows, columns)) as terminal:
        text = terminal.expect("Type `yes`: ").replace("\r\n", "\n")
        terminal.line("no")
        terminal.expect("nothing was allowed")
    lines = text.split("\n")
    assert len(lines) < rows
    assert all(width(line) <= columns for line in lines)
    return lines


LIE = "/srv" + " " * 70 + 'driver = "local"' + " " * 64 + "nothing else is wanted"


BLANKS = " \u3164\u2800\u115f\u1160\uffa0\u00a0\u2003\u200b\u202e\U000e0041\x08\r"


@pytest.mark.parametrize("blank", BLANKS, ids=lambda char: f"U+{ord(char):04X}")
def test_a_value_with_room_for_a_list_of_its_own_is_refused_in_a_short_line(clone: Project, blank: str) -> None:
    lie = json.dumps(LIE.replace(" ", blank), ensure_ascii=False)
    clone.configure(f'driver = "ssh"\nhost = "evil.example"\ndirectory = {lie}\n')
    result = run(clone)
    assert result.returncode == 255
    assert b"`directory` contains " in result.stderr
    assert len(result.stderr) < 400


@pytest.mark.parametrize(("rows", "columns", "blank"), [(24, 80, "\u3164"), (12, 40, " "), (50, 200, "\r")])
def test_what_may_hold_anything_paints_no_list(clone: Project, rows: int, columns: int, blank: str) -> None:
    lie = json.dumps(LIE.replace(" ", blank))
    clone.configure(f'driver = "ssh"\nhost = "evil.example"\ndirectory = "/x"\nenv = {{ A = {lie} }}\n')
    lines = screen_of(clone, rows, columns)
    assert lines[-4:-1] == ['  driver = "ssh"', '  directory = "/x"', '  host = "evil.example"'] or columns == 40
    assert '  host = "evil.example"' in lines
    assert not any(line.strip().startswith(('driver = "local', "nothing else")) for line in lines)


def test_to_a_terminal_of_another_charset_goes_no_byte_that_it_could_take_for_a_control(clone: Project) -> None:
    """The second byte of U+011B in UTF-8 is CSI there."""
    latin = {**clone.environment, "LC_ALL": "en_US.ISO-8859-1"}
    clone.configure('driver = "ssh"\nhost = "evil.example"\ndirectory = "/\u011b2J"\n["\u011b"]\nlogin = true\n')
    with Terminal(["rdo", "true"], clone.local, latin, (24, 80)) as terminal:
        shown = terminal.expect("Type `yes`: ")
        terminal.line("no")
        terminal.expect("not allowed yet")
    assert "/\\u011b2J" in shown
    assert "\u011b" not in shown
    for line in ("rdo -p \u011b true", "rdoctl explain -p \u011b true", "rdo -p \u011bb true"):
        done = clone.shell(f"LC_ALL=en_US.ISO-8859-1 {line} >/dev/null", start_new_session=True)
        assert done.stderr.isascii()
        assert b"\\u011b" in done.stderr
    with Terminal(["rdoctl", "allow", "-p", "\u011b", "--yes"], clone.local, latin) as terminal:
        assert "profile `\\u011b`" in terminal.expect("allowed: ")


@pytest.mark.parametrize(("rows", "columns"), [(5, 20), (24, 20), (4, 80)])
def test_on_a_terminal_that_has_no_room_for_the_question_it_is_not_asked(
    clone: Project, rows: int, columns: int
) -> None:
    clone.configure('driver = "ssh"\nhost = "evil.example"\ndirectory = "/x"\nuser = "root"\n')
    with Terminal(["rdo", "true"], clone.local, clone.environment, (rows, columns)) as terminal:
        terminal.expect("the terminal is too small to show what ")


def test_a_hundred_values_do_not_push_the_driver_away(clone: Project) -> None:
    many = "\n".join(f"A{number} = '{'x' * 90}'" for number in range(100))
    target = 'driver = "ssh"\nhost = "evil.example"\nuser = "root"'
    clone.configure(f'{target}\ndirectory = "/{"d" * 1000}"\n[env]\n{many}\n')
    lines = screen_of(clone, 24, 80)
    assert lines[-3:-1] == ['  host = "evil.example"', '  user = "root"']
    assert any(line.startswith("  (") and " more values) " in line for line in lines)


def test_names_of_directories_and_profiles_do_not_paint_either(clone: Project) -> None:
    name = "x" * 100 + '\n`/safe/.rdo.conf`, profile `default`, asks for:\n  driver = "local"\u3164' + " " * 99
    inner = clone.local / name / ("y" * 200)
    inner.mkdir(parents=True)
    (inner / ".rdo.conf").write_text('driver = "ssh"\nhost = "evil.example"\ndirectory = "/x"\n')
    lines = screen_of(Project(inner, clone.remote, clone.environment), 24, 80)
    assert [line for line in lines if "driver" in line] == ['  driver = "ssh"']
    result = clone.run("true", cwd=f"{name}/{'y' * 200}", start_new_session=True)
    assert result.stderr.count(b"\n") == 1
    assert b"\\x0a`/safe/" in result.stderr
    assert b"  " not in result.stderr
    clone.configure('host = "a"\n["a\\u3164b"]\nuse_sudo = true\n')
    assert b"cannot name a profile" in run(clone).stderr


def test_an_error_about_a_path_of_four_thousand_letters_is_bounded_and_says_what_to_type(clone: Project) -> None:
    deep = "/".join(["z" * 250] * 14)
    line = f"mkdir -p {deep}; cp .rdo.conf {deep}; cd {deep}; rdo true"
    clone.configure('driver = "ssh"\nhost = "evil.example"\ndirectory = "/x"\n')
    result = clone.shell(line, start_new_session=True)
    assert result.stderr.decode().endswith("; type `rdoctl allow`\n")
    assert len(result.stderr) < 2500
    assert b" more characters) ..." in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
@pytest.mark.parametrize("bypass", ["", "1"])
def test_no_terminal_and_no_variable_accepts_a_file_of_somebody_else(clone: Project, bypass: str) -> None:
    clone.configure("login = true\n")
    os.chown(clone.local / ".rdo.conf", 54321, -1)
    result = clone.run("true", env={"RDO_TRUST": bypass}, start_new_session=True)
    assert result.returncode == 255
    assert b"belongs to another user (uid 54321)" in result.stderr


def test_what_was_typed_or_pasted_before_the_question_is_no_answer(clone: Project) -> None:
    clone.configure("login = true\n")
    with Terminal(["bash", "--norc", "-i"], clone.local, {**clone.environment, "PS1": "$ "}) as terminal:
        terminal.prompt()
        terminal.line("sleep 1; rdo true; echo status $?")
        terminal.line("yes")
        terminal.expect("Type `yes`: ")
        terminal.line("no")
        terminal.expect("status 255")


def test_names_in_files_that_init_reads_paint_nothing(clone: Project) -> None:
    """A YAML file may spell any character."""
    (clone.local / ".rdo.conf").unlink()
    evil = '"\\e[2Jevil\\nrdo: all is well"'
    (clone.local / "compose.yaml").write_text(f'services:\n  {evil}: {{image: x}}\n  "w\\u3164eb": {{image: y}}\n')
    with Terminal(["rdoctl", "init"], clone.local, clone.environment) as terminal:
        first = terminal.expect("service to run in")
        terminal.expect(": ")
        terminal.line("nonsense")
        again = terminal.expect("service to run in")
        terminal.expect(": ")
        terminal.line("w\u3164eb")
        refused = terminal.expect("which is invisible")
    for shown in (first, again, refused.replace("w\u3164eb\r\n", "")):  # but for what was typed
        assert "\x1b" not in shown
        assert "\nrdo:" not in shown
        assert "\u3164" not in shown


def test_security_md_names_the_keys_that_are_free_and_the_bounds() -> None:
    text = " ".join((Path(__file__).parents[2] / "SECURITY.md").read_text().split())
    free = [f"`{name}`" for name, key in KEYS.items() if not key.guarded]
    assert set(
        re.findall(
            "`[a-z_]+`",
            text.partition("may set without permission are")[2].partition("because")[0],
        )
    ) == set(free)
    assert f"Names have at most {NAME_LIMIT} characters, paths {PATH_LIMIT:,}" in text
    assert f"for a config file, that is {FILE_LIMIT // 1024} KiB" in text
    assert "To report a vulnerability" in text


def test_init_allows_no_file_of_a_clone_to_take_variables_of_the_user_along(clone: Project) -> None:
    (clone.local / ".rdo.conf").unlink()
    wanted = '{"image": "evil", "remoteEnv": {"AWS_SECRET": "${localEnv:AWS_SECRET}"}}'
    (clone.local / ".devcontainer.json").write_text(wanted)
    made = clone.shell("rdoctl init --driver docker", start_new_session=True)
    assert b"pass_env AWS_SECRET" in made.stdout
    assert b"\n  rdoctl allow\n" in made.stdout
    assert b"is not allowed yet" in run(clone).stderr
