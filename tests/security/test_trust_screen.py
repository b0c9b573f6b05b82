"""Tests for the trust prompt: no file of another person can paint on the screen."""

from __future__ import annotations

import json

import pytest

from rdo.printable import width
from tests.e2e.project import Project
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.usefixtures("lent")

LIE = "/srv" + " " * 70 + 'driver = "local"' + " " * 64 + "nothing else is wanted"


BLANKS = " \u3164\u2800\u115f\u1160\uffa0\u00a0\u2003\u200b\u202e\U000e0041\x08\r"


def screen_of(clone: Project, rows: int, columns: int) -> list[str]:
    """The content of a terminal of this size when the question waits for its answer. Nothing was scrolled away."""
    with Terminal(["rdoctl", "allow"], clone.local, clone.environment, (rows, columns)) as terminal:
        text = terminal.expect("Type `yes`: ").replace("\r\n", "\n")
        terminal.line("no")
        terminal.expect("nothing was allowed")
    lines = text.split("\n")
    assert len(lines) < rows
    assert all(width(line) <= columns for line in lines)
    return lines


@pytest.mark.parametrize("blank", BLANKS, ids=lambda char: f"U+{ord(char):04X}")
def test_a_value_that_could_imitate_the_list_is_refused_in_a_short_line(clone: Project, blank: str) -> None:
    lie = json.dumps(LIE.replace(" ", blank), ensure_ascii=False)
    clone.configure(f'driver = "ssh"\nhost = "evil.example"\ndirectory = {lie}\n')
    result = clone.run("true", start_new_session=True)
    assert result.returncode == 255
    assert b"`directory` contains " in result.stderr
    assert len(result.stderr) < 400


@pytest.mark.parametrize(("rows", "columns", "blank"), [(24, 80, "\u3164"), (12, 40, " "), (50, 200, "\r")])
def test_a_value_with_any_content_cannot_imitate_the_list(clone: Project, rows: int, columns: int, blank: str) -> None:
    lie = json.dumps(LIE.replace(" ", blank))
    clone.configure(f'driver = "ssh"\nhost = "evil.example"\ndirectory = "/x"\nenv = {{ A = {lie} }}\n')
    lines = screen_of(clone, rows, columns)
    assert lines[-4:-1] == ['  driver = "ssh"', '  directory = "/x"', '  host = "evil.example"'] or columns == 40
    assert '  host = "evil.example"' in lines
    assert not any(line.strip().startswith(('driver = "local', "nothing else")) for line in lines)


def test_a_terminal_with_another_charset_gets_no_control_bytes(clone: Project) -> None:
    """The second byte of U+011B in UTF-8 would be CSI there."""
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
def test_on_a_terminal_without_room_for_the_question_it_is_not_asked(clone: Project, rows: int, columns: int) -> None:
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


def test_names_of_directories_and_profiles_cannot_control_the_screen_either(clone: Project) -> None:
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
    assert b"cannot name a profile" in clone.run("true", start_new_session=True).stderr
