"""Tests for minifying shell text: a file becomes one line with the same meaning, or is refused."""

from __future__ import annotations

import subprocess

import pytest

from rdo.remote_sh.template import minify, short_names
from tests.unit.remote_sh.shells import SHELLS, TIMEOUT, each_shell


@pytest.mark.parametrize(
    ("source", "line"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("# only\n\n   # comments\n", "", id="comments"),
        pytest.param("a\n\n# why\n  b c\n", "a; b c", id="commands"),
        pytest.param("if a; then\n  b\nelse\n  c\nfi\n", "if a; then b; else c; fi", id="if"),
        pytest.param("while a; do\n  b\ndone\nc", "while a; do b; done; c", id="while"),
        pytest.param("f() {\n  a\n}\nf", "f() { a; }; f", id="a function"),
        pytest.param("(\n  a\n  b\n)\nc", "(a; b); c", id="a subshell"),
        pytest.param("a ||\n  b &&\n  c |\n  d", "a || b && c | d", id="operators"),
        pytest.param("a &\nb", "a & b", id="in the background"),
        pytest.param("a || {\n  b\n}", "a || { b; }", id="braces"),
        pytest.param("case $x in\na) b ;;\n*) ;;\nesac\nc", "case $x in a) b;; *);; esac; c", id="case"),
        pytest.param("case $x in\n*\" $1=\"*)\n  a\n  ;;\nesac", 'case $x in *" $1="*) a;; esac', id="a long case"),
        pytest.param("a \"it's\" it\\'s '\"'\nb \"\\\"\"", "a \"it's\" it\\'s '\"'; b \"\\\"\"", id="quotes"),
        pytest.param("for x in $(\n  a\n); do\n  b\ndone", "for x in $(a); do b; done", id="a substitution"),
        pytest.param("echo done\necho indeed", "echo done; echo indeed", id="no reserved words"),
        pytest.param("x=${y##*\") \"}\nz=$#", 'x=${y##*") "}; z=$#', id="a # that begins no comment"),
    ],
)  # fmt: skip
def test_lines_are_joined_according_to_the_grammar(source: str, line: str) -> None:
    assert minify(source) == line


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("a # why", id="a comment behind a command"),
        pytest.param("cat <<E\na\nE", id="a here-document"),
        pytest.param("a \\\nb", id="a line that goes on"),
        pytest.param("echo 'a\nb'", id="a newline in single quotes"),
        pytest.param("echo \"$(a 'b')\" \"it's\" it\\'s 'a\"", id="one quote in others, and left open"),
        pytest.param('echo "a\nb"', id="a newline in double quotes"),
    ],
)
def test_what_is_not_understood_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        minify(source)


NAMES = "# On the wire: a_name=a\n# On the wire: other_name=b do_it=c\n"


def test_listed_names_are_shortened_everywhere() -> None:
    source = NAMES + 'do_it() {\n  a_name=$((a_name+1))\n}\necho "${a_name%x}$other_name" a_name_more @A_NAME@\n'
    assert minify(source) == 'c() { a=$((a+1)); }; echo "${a%x}$b" a_name_more @A_NAME@'
    assert short_names(source) == {"a_name": "a", "other_name": "b", "do_it": "c"}


def test_the_letter_of_an_option_or_a_format_is_not_a_used_name() -> None:
    assert minify("# On the wire: a_name=s\nread -s a_name\nprintf '%s\\s' $a_name") == "read -s s; printf '%s\\s' $s"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("# On the wire: a_name=a\na=$a_name", id="one that the text has"),
        pytest.param("# On the wire: a_name=a other_name=a", id="one for two"),
        pytest.param("# On the wire: group=a", id="a word that a text may hold"),
    ],
)
def test_an_ambiguous_short_name_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="names"):
        minify(source)


PROGRAM = """
# On the wire: count_up=u the_count=n one_word=w
count_up() {
    the_count=$((the_count+1))
}

the_count=0
for one_word in a "b c" '#'; do
    # Each is looked at.
    case $one_word in
    a) count_up ;;
    \\#)
        count_up
        count_up
        ;;
    *) ;;
    esac
done
if [ "$the_count" -eq 3 ]; then
    (
        echo "three"
        exit 3
    ) ||
        echo "ended with $?"
else
    exit 1
fi
"""


@each_shell
def test_a_shell_does_the_same_with_both(shell: str) -> None:
    for text in (PROGRAM, minify(PROGRAM)):
        done = subprocess.run([*SHELLS[shell].split(), "-c", text], capture_output=True, timeout=TIMEOUT, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"three\nended with 3\n", b"")
