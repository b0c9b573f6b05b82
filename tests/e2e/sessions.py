"""Sessions at a terminal: a command, the keys that are typed, and what it shows after each step."""

from __future__ import annotations

import shlex
from typing import NamedTuple

PASTE = "PASTE "
"""The prefix of a key that stands for a text to be pasted at once."""


class Step(NamedTuple):
    """Keys, by tmux's names or as single characters, and the text that has to appear then."""

    keys: tuple[str, ...]
    shows: str
    size: tuple[int, int] | None = None
    """Columns and rows, if the window is resized first."""


class Session(NamedTuple):
    """A command, from the line that starts it to its exit status."""

    name: str
    command: str
    shows: str
    steps: tuple[Step, ...]
    status: str = "st=0"
    before: str = ""
    """Text that is typed before it, such as `stty ...;`."""

    @property
    def program(self) -> str:
        """A program that has to be installed."""
        words = shlex.split(self.command)
        return next(word for word in words if word != "env" and "=" not in word and not word.startswith("-"))


def typed(text: str, *more: str) -> tuple[str, ...]:
    """Characters, and then keys."""
    return (*text, *more)


UTF8 = "env LC_ALL=C.UTF-8"
BASH = f"{UTF8} PS1='> ' bash --norc -i"
CAT = "sh -c 'echo up; cat'"
DUMP = "sh -c 'echo up; read x; printf %s $x | od -An -c; exit 5'"
KEYS = "sh -c 'echo up; cat -v'"
PYTHON = f"{UTF8} PYTHON_BASIC_REPL=1 PYTHON_COLORS=0 /usr/bin/python3 -q"
VIM = f"{UTF8} vim -u NONE -N -i NONE -n"

PROMPT = "\n$"
END = Step(("C-d",), PROMPT)

LINES = (
    Session("Backspace over é", CAT, "up", (Step(typed("aé", "BSpace", "b", "Enter"), "ab\nab"), END)),
    Session("Backspace over 漢", CAT, "up", (Step(typed("a漢字", "BSpace", "BSpace", "Enter"), "\na"), END)),
    Session("Backspace in read", DUMP, "up", (Step(typed("é漢", "BSpace", "BSpace", "x", "Enter"), "  x\n$"),), "st=5"),
    Session("kill, werase and literal", CAT, "up", (
        Step(typed("one two", "C-w", "3", "Enter"), "one 3\none 3"),
        Step(typed("gone", "C-u", "x", "C-v", "C-u", "Enter"), "x^U"),
        END,
    )),
    Session("rprnt", CAT, "up", (Step(typed("abc", "C-r"), "abc^R\nabc"), Step(("Enter",), "abc\nabc"), END)),
    Session("end of input within a line", CAT, "up", (Step(typed("ab", "C-d"), "abab"), Step(("C-d",), PROMPT))),
    Session("Ctrl-C", CAT, "up", (Step(("C-c",), PROMPT),), "st=130"),
    Session("Ctrl-\\", CAT, "up", (Step(("C-\\",), PROMPT),), "st=131"),
    Session("a trap", "sh -c 'trap \"echo caught; exit 7\" INT; echo up; while :; do sleep 0.05; done'", "up", (
        Step(("C-c",), "^Ccaught\n$"),
    ), "st=7"),
)  # fmt: skip

MODES = (
    Session("all modes", "stty -a", PROMPT, ()),
    Session("other keys", "stty -a", PROMPT, (), before="stty intr ^X erase ^H susp undef; "),
    Session("another intr", CAT, "up", (Step(typed("a", "C-c"), "a^C"), Step(("C-x",), PROMPT)), "st=130",
            before="stty intr ^X; "),
    Session("another erase", CAT, "up", (Step(typed("ab", "C-h", "Enter"), "a\na"), END),
            before="stty sane iutf8 erase ^H; "),
    Session("the usual ones", "stty -a", PROMPT, (), before="stty sane erase ^? iutf8; "),
    Session("no flow control", KEYS, "up", (Step(typed("a", "C-s", "b", "C-q", "Enter"), "a^Sb^Q\na^Sb^Q"), END),
            before="stty sane iutf8 erase ^? -ixon; "),
    Session("flow control", KEYS, "up", (Step(typed("a", "C-s", "b", "C-q", "Enter"), "ab\nab"), END),
            before="stty ixon; "),
    Session("no echo", f"{BASH} -c 'read -sp Password: x; echo; echo [$x]'", "Password:", (
        Step(typed("secret", "Enter"), "[secret]\n$"),
    )),
    Session("its name and size", "sh -c 'tput cols; echo $TERM; stty size'", PROMPT, ()),
    Session("resize", "sh -c 'trap \"stty size\" WINCH; echo up; while :; do sleep 0.05; done'", "up", (
        Step((), "24 90", (90, 24)), Step((), "20 80", (80, 20)), Step(("C-c",), PROMPT),
    ), "st=130"),
)  # fmt: skip

DRAWING = (
    Session("long lines and tabs", "sh -c 'printf \"%0150d\\n\\ta\\tb\\n\" 7; printf %79s\\\\n x'", PROMPT, ()),
    Session("colours and the cursor", "sh -c 'tput setaf 1; echo red; tput sgr0; tput cuf 5; echo moved'", PROMPT, ()),
    Session("the other screen", "sh -c 'tput smcup; echo over there; read x; tput rmcup'", "over there", (
        Step(("Enter",), PROMPT),
    )),
)  # fmt: skip

SHELL = (
    Session("bash: edit a line", BASH, ">", (
        Step(typed("echo one", "C-a", "M-f", "M-d", "C-e"), "> echo"),
        Step(typed(" é漢x", "BSpace", "BSpace", "Enter"), "\né\n"),
        Step(("Up", "Up", "Down", "C-r", "e"), "reverse-i-search"),
        Step(("C-g",), ">"),
        Step(typed("echo li", "Tab"), "echo lines"),
        Step(("C-c",), "^C"),
        Step(typed("exit 3", "Enter"), "exit\n$"),
    ), "st=3"),
    Session("bash: job control", BASH, ">", (
        Step(typed("cat", "Enter"), "> cat"),
        Step(typed("w", "Enter"), "w\nw"),  # then it runs: bash itself is not stopped
        Step(("C-z",), "Stopped"),
        Step(typed("jobs", "Enter"), "> jobs\n"),
        Step(typed("fg", "Enter"), "> fg\ncat"),
        Step(typed("x", "Enter"), "x\nx"),
        Step(("C-d",), "x\nx\n>"),
        Step(typed("sleep 50 & kill %1; wait", "Enter"), "Terminated"),
        Step(("C-d",), "exit\n$"),
    ), "st="),
    Session("bash: bracketed paste", BASH, ">", (
        Step(typed("printf '\\e[?2004h'; read -rsn 12 x; echo ${x:1} | cat -v", "Enter"), "cat -v\n"),
        Step((f"{PASTE}one",), "[200~one"),
        Step(("C-u", "C-d"), "exit\n$"),
    ), "st="),
)  # fmt: skip

INTERPRETERS = (
    Session("python3", PYTHON, ">>>", (
        Step(typed("print(len('é漢'))", "Enter"), "\n2\n"),
        Step(("Up", "Home", "Right", "C-k"), ">>> p\n"),
        Step(("C-c",), "KeyboardInterrupt"),
        Step(typed("import time; time.sleep(60)", "Enter"), "sleep(60)\n"),
        Step(("C-c",), "in <module>\nKeyboardInterrupt\n>>>"),
        Step(typed("exit(4)", "Enter"), PROMPT),
    ), "st=4"),
    Session("getpass", f"{PYTHON} -c 'import getpass; print(len(getpass.getpass()), input(\"on \"))'", "Password:", (
        Step(typed("abc", "Enter"), "on"), Step(typed("xé", "BSpace", "Enter"), "3 x\n$"),
    )),
    Session("sqlite3", "sqlite3", "sqlite>", (Step(typed("select 6*7; ", "Enter"), "\n42\nsqlite>"), END)),
)  # fmt: skip

VIM_AND_PAGERS = (
    Session("vim: insert and leave", f"{VIM} new", "[New]", (
        Step(typed("iabé漢", "BSpace", "Left", "x", "Escape"), "abxé"),
        Step(typed(":set number", "Enter"), "  1 abxé"),
        Step(typed(":q!", "Enter"), PROMPT),
    )),
    Session("vim: scroll, search, undo", f"{VIM} lines", "line 1", (
        Step(("C-f",), "line 20"),
        Step(typed("/line 300", "Enter"), "line 300"),
        Step(typed("dddd"), "line 302"),
        Step(("u",), "line 301"),
        Step(("C-v", "j", "l", "d"), "ne 3"),
        Step(typed(":q!", "Enter"), PROMPT),
    )),
    Session("vim: resize and stop", f"{VIM} lines", "line 1", (
        Step((), "line 23", (70, 25)),
        Step((), "line 18", (80, 20)),
        Step(typed(":q!", "Enter"), PROMPT),
    )),
    Session("less", "less lines", "line 1", (
        Step((" ",), "line 38"),
        Step(typed("/line 111", "Enter"), "line 111"),
        Step(("G",), "line 399"),
        Step(("b", "y"), "line 379"),
        Step(("q",), PROMPT),
    )),
    Session("watch", "watch -tn 99 echo hi", "hi", (Step(("C-c",), PROMPT),)),
)  # fmt: skip

SESSIONS = {
    "lines": LINES,
    "modes": MODES,
    "drawing": DRAWING,
    "a shell": SHELL,
    "interpreters": INTERPRETERS,
    "vim and pagers": VIM_AND_PAGERS,
}
"""All sessions, in groups that are played one after the other."""
