"""Tests for which values each key accepts, and for the complete error line otherwise."""

from pathlib import Path

import pytest

from rdo.config.load import load
from rdo.errors import ConfigError


def value_of(directory: Path, key: str, literal: str) -> object:
    text = f'host = "devbox"\n{key} = {literal}\n' if key != "host" else f"host = {literal}\n"
    (directory / ".rdo.conf").write_text(text, encoding="utf-8")
    return getattr(load(str(directory / ".rdo.conf"), None, None).settings, key)


def refusal_of(directory: Path, key: str, literal: str) -> str:
    with pytest.raises(ConfigError) as caught:
        value_of(directory, key, literal)
    line = 1 if key == "host" else 2
    return str(caught.value).removeprefix(f"{directory}/.rdo.conf:{line}: ")


@pytest.mark.parametrize(
    ("key", "literal", "value"),
    [
        ("idle_timeout", "90", 90.0),
        ("idle_timeout", "0", 0.0),
        ("idle_timeout", "1.5", 1.5),
        ("idle_timeout", '"90"', 90.0),
        ("idle_timeout", '"90s"', 90.0),
        ("idle_timeout", '"30m"', 1800.0),
        ("idle_timeout", '"1h30m"', 5400.0),
        ("idle_timeout", '"8h"', 28800.0),
        ("idle_timeout", '"1d"', 86400.0),
        ("idle_timeout", '"1w"', 604800.0),
        ("connect_timeout", "30", 30.0),
        ("port", "1", 1),
        ("directory", '"/srv/app"', "/srv/app"),
        ("directory", '"~"', "~"),
        ("directory", '"~/src/app"', "~/src/app"),
        ("directory", '"src"', "~/src"),
        ("directory", '"."', "~"),
        ("directory", '"-x"', "~/-x"),
        ("port", "65535", 65535),
        ("login", "true", True),
        ("map_args", "false", False),
        ("pass_env", '["LANG", "LC_*", "A[BC]?"]', ("LANG", "LC_*", "A[BC]?")),
        ("path", '["venv/bin", "my tools"]', ("venv/bin", "my tools")),
        ("path", "[]", ()),
        ("host", '"10.0.0.1"', "10.0.0.1"),
        ("host", '"fe80::1%eth0"', "fe80::1%eth0"),
        ("host", '"bücher.example"', "bücher.example"),
        ("user", r'"CORP\\jane"', r"CORP\jane"),
        ("user", '"jane.doe-x@example.com"', "jane.doe-x@example.com"),
        ("jump", '"none"', "none"),
        (
            "jump",
            '"gate,me@gate2:2022,[fe80::1]:22,ssh://you@gate3"',
            "gate,me@gate2:2022,[fe80::1]:22,ssh://you@gate3",
        ),
    ],
)
def test_a_value_is_accepted(tmp_path: Path, key: str, literal: str, value: object) -> None:
    assert value_of(tmp_path, key, literal) == value


AS_HOST = 'as in `host = "devbox"`'
AS_USER = 'as in `user = "deploy"`'
AS_JUMP = 'as in `jump = "gate.example.com"`'
DRIVERS = "`driver` must be one of `ssh`, `vagrant`, `docker`, `local`, not"
AS_DIRECTORY = 'as in `directory = "/srv/myapp"`'
TIME = "must be a number of seconds, or a time such as `90s`, `30m`, `8h` or `1d`, not"
AS_TIME = 'as in `idle_timeout = "8h"`'


@pytest.mark.parametrize(
    ("key", "literal", "line"),
    [
        ("host", "3", '`host` must be a string, not the number `3`; write `host = "3"`'),
        ("host", "[]", f"`host` must be a string, not a list; {AS_HOST}"),
        ("host", "1979-05-27", f"`host` must be a string, not a date or time; {AS_HOST}"),
        ("host", "0x" + "f" * 9000, f"`host` must be a string, not a huge number; {AS_HOST}"),
        ("host", '""', f"`host` is empty; {AS_HOST}"),
        ("host", '"-oProxyCommand=x"', f"`host` begins with `-`; {AS_HOST}"),
        ("host", '"a;b"', f"`host` contains `;`; {AS_HOST}"),
        ("host", '"`id`"', f"`host` contains a backtick; {AS_HOST}"),
        ("host", '"$(id)"', f"`host` contains `$`; {AS_HOST}"),
        ("host", '"me@devbox"', f"`host` contains `@`, but the user has a key of its own; {AS_HOST}"),
        ("host", r'"a\\b"', f"`host` contains `\\`; {AS_HOST}"),
        ("host", r'"a\nb"', f"`host` contains white space; {AS_HOST}"),
        ("host", r'"a\u001bb"', f"`host` contains a control character; {AS_HOST}"),
        ("user", '"-l"', f"`user` begins with `-`; {AS_USER}"),
        ("user", '"a|b"', f"`user` contains `|`; {AS_USER}"),
        ("user", '"a b"', f"`user` contains white space; {AS_USER}"),
        ("user", r'"CORP\\"', f"`user` ends with a backslash; {AS_USER}"),
        ("jump", '"a,-b"', f"`jump` contains `-b`, which begins with `-`; {AS_JUMP}"),
        ("jump", '"a;b@c"', f"`jump` contains `a;b@c`, which contains `;`; {AS_JUMP}"),
        ("jump", '"a,"', f"`jump` contains `''`, which has no name; {AS_JUMP}"),
        ("jump", '"@a"', f"`jump` contains `@a`, which has no name; {AS_JUMP}"),
        ("jump", '"a:b"', f"`jump` contains `a:b`, which is not of the form `[USER@]HOST[:PORT]`; {AS_JUMP}"),
        (
            "jump", '"a:70000"',
            f"`jump` contains `a:70000`, which has a port that is not between 1 and 65535; {AS_JUMP}",
        ),
        ("port", "0", "`port` must be a number from 1 to 65535, not the number `0`; as in `port = 2222`"),
        ("port", "true", "`port` must be a number from 1 to 65535, not `true`; as in `port = 2222`"),
        ("port", '"22"', "`port` must be a number from 1 to 65535, not the string `22`; write `port = 22`"),
        ("port", '"99999"', "`port` must be a number from 1 to 65535, not the string `99999`; as in `port = 2222`"),
        ("login", '"yes"', "`login` must be true or false, not the string `yes`; write `login = true`"),
        ("login", "0", "`login` must be true or false, not the number `0`; write `login = false`"),
        ("login", '"maybe"', "`login` must be true or false, not the string `maybe`; as in `login = true`"),
        ("login", "[]", "`login` must be true or false, not a list; as in `login = true`"),
        ("idle_timeout", '"soon"', f"`idle_timeout` {TIME} the string `soon`; {AS_TIME}"),
        ("idle_timeout", '""', f"`idle_timeout` {TIME} the string `''`; {AS_TIME}"),
        ("idle_timeout", "true", f"`idle_timeout` {TIME} `true`; {AS_TIME}"),
        ("idle_timeout", "nan", f"`idle_timeout` must be between 0 s and 366 days, not the number `nan`; {AS_TIME}"),
        ("idle_timeout", "-1", f"`idle_timeout` must be between 0 s and 366 days, not the number `-1`; {AS_TIME}"),
        ("idle_timeout", '"53w"', f"`idle_timeout` must be between 0 s and 366 days, not the string `53w`; {AS_TIME}"),
        ("path", '"bin"', '`path` must be a list of strings, not the string `bin`; write `path = ["bin"]`'),
        ("path", "{}", '`path` must be a list of strings, not a table; as in `path = ["venv/bin"]`'),
        (
            "path", '["a", 1]',
            '`path` must be a list of strings, but contains the number `1`; as in `path = ["venv/bin"]`',
        ),
        ("path", '[""]', "`path` contains the string `''`, which is empty; as in `path = [\"venv/bin\"]`"),
        (
            "pass_env", '["A=1"]', "`pass_env` contains the string `A=1`, which is neither the name of an "
            'environment variable nor a pattern; as in `pass_env = ["LANG", "LC_*"]`',
        ),
        (
            "env", '"A"',
            '`env` must be a table of names and strings, not the string `A`; as in `env = { STAGE = "dev" }`',
        ),
        ("env", "{ A = 8080 }", '`env.A` must be a string, not the number `8080`; quote it: `A = "8080"`'),
        ("env", "{ A = true }", '`env.A` must be a string, not `true`; quote it: `A = "true"`'),
        ("env", "{ A = [] }", '`env.A` must be a string, not a list; quote it: `A = "..."`'),
        ("env", r'{ A = "\u0000" }', "`env.A` contains a NUL, which the environment cannot hold; remove it"),
        (
            "env", '{ "A-B" = "" }', "`env.A-B` is not a valid environment variable name; "
            "a name consists of letters, digits and `_`, and does not start with a digit",
        ),
        (
            "env", f'{{ {"A" * 256} = "" }}', f"`env.{'A' * 40}...` has a name that is longer than 255 characters; "
            "shorten it",
        ),
        ("driver", '"shh"', f"{DRIVERS} the string `shh`; did you mean `ssh`?"),
        ("driver", '"telnet"', f'{DRIVERS} the string `telnet`; as in `driver = "ssh"`'),
        ("driver", "1", f'{DRIVERS} the number `1`; as in `driver = "ssh"`'),
        ("directory", '"~me/app"', f"`directory` is in the home directory of another user; {AS_DIRECTORY}"),
        ("directory", f'"/{"x" * 50}\\n"', f"`directory` contains a control character; {AS_DIRECTORY}"),
        ("host", '"' + "h" * 256 + '"', f"`host` is longer than 255 characters; {AS_HOST}"),
        ("user", '"' + "u" * 256 + '"', f"`user` is longer than 255 characters; {AS_USER}"),
        ("directory", '"/' + "d" * 1024 + '"', f"`directory` is longer than 1,024 characters; {AS_DIRECTORY}"),
        ("build", '"/etc"', '`build` is not relative to the project; as in `build = "."`'),
        ("build", '"~/x"', '`build` is not relative to the project; as in `build = "."`'),
        ("build", '"a/../.."', '`build` leads out of the project; as in `build = "."`'),
        ("directory", '"/a  b"', f"`directory` contains several spaces in a row; {AS_DIRECTORY}"),
        ("directory", '"/a\u3164b"', f"`directory` contains U+3164, which is invisible; {AS_DIRECTORY}"),
        ("host", '"a\u2800b"', f"`host` contains U+2800, which is invisible; {AS_HOST}"),
        ("user", '"a\ufe0fb"', f"`user` contains U+FE0F, which is invisible; {AS_USER}"),
        ("directory", '"/a\u202eb"', f"`directory` contains a control character; {AS_DIRECTORY}"),
        ("directory", '"/a' + "\u0301" * 5 + '"', f"`directory` contains stacked accents; {AS_DIRECTORY}"),
        ("drectory", '"/srv"', "unknown key `drectory`; did you mean `directory`?"),
        ("xyzzy", '"/srv"', "unknown key `xyzzy`; `rdoctl schema` shows all keys"),
        ("ssh_config", '"x"', "`ssh_config` is allowed only in the user file; move it to config.toml in ~/.config/rdo"),
    ],
)  # fmt: skip
def test_a_value_is_refused(tmp_path: Path, key: str, literal: str, line: str) -> None:
    assert refusal_of(tmp_path, key, literal) == line


@pytest.mark.parametrize("key", ["container", "service", "image", "machine"])
@pytest.mark.parametrize("name", ["-v", "a b"])
def test_a_name_passed_to_another_program_is_checked(tmp_path: Path, key: str, name: str) -> None:
    assert refusal_of(tmp_path, key, f'"{name}"').startswith(f"`{key}` ")


def test_variables_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    env = value_of(tmp_path, "env", '{ A = "1" }')
    assert not hasattr(env, "__setitem__")
