"""Tests for the plan of a request: directory, arguments and command."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rdo import plan
from rdo.config.schema import Settings
from rdo.drivers.root import Root
from rdo.errors import RdoError
from rdo.ipc.request import Request
from rdo.paths.mapping import MappedArgument
from rdo.plan import Plan

ROOT = Root("/work", "/srv/app")


def request(*arguments: bytes, **others: object) -> Request:
    """A command typed in /work/src, where /work/.rdo.conf is."""
    made = Request()
    made.version, made.profile, made.stamp, made.remote_directory, made.term = b"1", b"default", b"-", b"", b""
    made.config, made.root, made.pwd, made.cwd = b"/work/.rdo.conf", b"/work", b"/work/src", b"/work/src"
    made.shell_options, made.user = b"-c", b""
    made.flags, made.modes, made.window = b"", b"", (0, 0, 0, 0)
    made.arguments, made.variables, made.environ = list(arguments), [], []
    for name, value in others.items():
        setattr(made, name, value)
    return made


def make(
    asked: Request,
    settings: Settings | None = None,
    roots: Sequence[Root] = (ROOT,),
) -> Plan:
    return plan.make(asked, settings or Settings(), roots, "devbox")


def test_a_command_runs_in_the_matching_directory_with_its_arguments_mapped() -> None:
    planned = make(request(b"cc", b"-I/work/include", b"a b"))
    assert planned.script.command == ["cc", "-I/srv/app/include", "a b"]
    assert planned.script.directory == "/srv/app/src"
    assert planned.script.environment == {}
    assert planned.script.path == []
    assert not planned.script.sudo
    assert not planned.script.keep
    assert planned.arguments[1] == MappedArgument("-I/work/include", "-I/srv/app/include")
    assert planned.mapping.to_remote("/work/x") == "/srv/app/x"


def test_arguments_that_are_not_utf_8_stay_unchanged() -> None:
    assert make(request(b"ls", b"\xff\n")).script.command == ["ls", "\udcff\n"]


@pytest.mark.parametrize(
    ("flags", "settings"),
    [
        pytest.param(b"m", Settings(), id="--no-map"),
        pytest.param(b"", Settings(map_args=False), id="map_args"),
        pytest.param(b"m", Settings(map_args=False), id="both"),
    ],
)
def test_arguments_are_left_alone_when_asked(flags: bytes, settings: Settings) -> None:
    planned = make(request(b"ls", b"/work", flags=flags), settings)
    assert planned.script.command == ["ls", "/work"]
    assert planned.arguments == [MappedArgument("ls", "ls"), MappedArgument("/work", "/work")]


@pytest.mark.parametrize(
    ("string", "flags", "command"),
    [
        pytest.param(b"/work/run", b"c", ["/bin/sh", "-c", "/work/run", "sh", "/srv/app/x"], id="mapped"),
        pytest.param(b"/work/run", b"cm", ["/bin/sh", "-c", "/work/run", "sh", "/work/x"], id="not mapped"),
        pytest.param(b"", b"c", ["/bin/sh", "-c", "", "sh", "/srv/app/x"], id="an empty string"),
    ],
)
def test_a_shell_string_is_never_mapped_but_its_arguments_are(string: bytes, flags: bytes, command: list[str]) -> None:
    assert make(request(string, b"sh", b"/work/x", flags=flags)).script.command == command


def test_no_command_is_a_login_shell() -> None:
    assert make(request()).script.command == []


@pytest.mark.parametrize(
    ("pwd", "cwd", "directory"),
    [
        pytest.param(b"/work/link", b"/elsewhere", "/srv/app/link", id="as the shell shows it"),
        pytest.param(b"/elsewhere", b"/work/real", "/srv/app/real", id="the physical path"),
    ],
)
def test_the_directory_is_that_of_the_working_directory(pwd: bytes, cwd: bytes, directory: str) -> None:
    assert make(request(b"ls", pwd=pwd, cwd=cwd)).script.directory == directory


@pytest.mark.parametrize("roots", [[], [ROOT]], ids=["no root", "a root"])
def test_a_directory_that_was_asked_for_needs_no_root(roots: list[Root]) -> None:
    planned = make(request(b"ls", remote_directory=b"build", pwd=b"/tmp", cwd=b"/tmp"), roots=roots)
    assert planned.script.directory == "build"


def test_a_working_directory_elsewhere_is_an_error() -> None:
    with pytest.raises(RdoError, match="`/tmp` is not on the target"):
        make(request(b"ls", pwd=b"/tmp", cwd=b"/tmp"))


@pytest.mark.parametrize(
    ("root", "seen", "typed", "arrives"),
    [
        pytest.param(ROOT, b"/work", b"/work/x", "/srv/app/x", id="no link"),
        pytest.param(ROOT, b"/home/link", b"/home/link/x", "/srv/app/x", id="by the link"),
        pytest.param(ROOT, b"/home/link", b"/work/x", "/srv/app/x", id="by the physical path"),
        pytest.param(Root("/work/a", "/a"), b"/home/link", b"/home/link/a/x", "/a/x", id="a root further down"),
        pytest.param(
            Root("/workshop", "/a"), b"/home/link", b"/home/linkshop/x", "/home/linkshop/x", id="a longer name"
        ),
        pytest.param(Root("/data", "/a"), b"/home/link", b"/home/link/x", "/home/link/x", id="a root elsewhere"),
    ],
)
def test_a_root_is_known_by_the_link_that_led_to_it(root: Root, seen: bytes, typed: bytes, arrives: str) -> None:
    planned = make(request(b"ls", typed, root=seen, remote_directory=b"/"), roots=[root])
    assert planned.script.command[1] == arrives


def test_the_directory_is_found_by_the_link_that_led_to_it() -> None:
    asked = request(b"ls", root=b"/home/link", pwd=b"/home/link/src", cwd=b"/work/src")
    assert make(asked).script.directory == "/srv/app/src"


@pytest.mark.parametrize(
    ("flags", "key", "is_mapped"),
    [(b"", False, False), (b"", True, True), (b"o", False, True), (b"O", True, False)],
    ids=["neither", "map_output", "-m", "--no-map-output"],
)
def test_output_is_mapped_by_option_or_by_key(flags: bytes, key: bool, is_mapped: bool) -> None:
    planned = make(request(b"ls", flags=flags), Settings(map_output=key))
    assert planned.output_roots == ({"/srv/app": "/work"} if is_mapped else {})


@pytest.mark.parametrize(
    ("roots", "found"),
    [
        pytest.param([], {}, id="no root"),
        pytest.param([Root("/work", "/work")], {}, id="the same on both sides"),
        pytest.param([Root("/work", "/work"), ROOT], {"/work": "/work", "/srv/app": "/work"}, id="one is the same"),
        pytest.param([Root("/work", "/srv/app/")], {"/srv/app": "/work"}, id="written with a slash"),
        pytest.param([Root("/work", "app")], {}, id="in the login directory"),
        pytest.param([Root("/work", "/")], {}, id="all of the target"),
        pytest.param([Root("/", "/host")], {}, id="all of this machine"),
        pytest.param([Root("/work", "//srv")], {}, id="two slashes"),
        pytest.param([Root("/work/a", "/a"), Root("/work/b", "/a")], {"/a": "/work/a"}, id="two local names"),
    ],
)
def test_paths_in_output_are_those_of_the_roots(roots: list[Root], found: dict[str, str]) -> None:
    assert make(request(b"ls", flags=b"o", remote_directory=b"/"), roots=roots).output_roots == found


def test_paths_in_output_have_the_name_by_which_the_user_came() -> None:
    asked = request(b"ls", flags=b"o", root=b"/home/link", remote_directory=b"/")
    roots = [ROOT, Root("/work/lib", "/lib"), Root("/data", "/data2")]
    assert make(asked, roots=roots).output_roots == {
        "/srv/app": "/home/link",
        "/lib": "/home/link/lib",
        "/data2": "/data",
    }


@pytest.mark.parametrize(
    ("flags", "settings", "sudo"),
    [(b"", Settings(), ""), (b"s", Settings(), "0"), (b"", Settings(use_sudo=True), "0")],
    ids=["neither", "--sudo", "use_sudo"],
)
def test_root_is_asked_for_by_option_or_by_key(flags: bytes, settings: Settings, sudo: str) -> None:
    assert plan.user(request(b"id", flags=flags), settings) == sudo
    assert plan.user(request(b"id", flags=flags, user=b"me:1"), settings) == "me:1"


@pytest.mark.parametrize("name", [b"-x", b"a b", b"a\nb", b"$x", b"\xff", b"a" * 999])
def test_an_invalid_user_name_is_refused(name: bytes) -> None:
    with pytest.raises(RdoError, match="is not a valid user name"):
        plan.user(request(b"id", user=name), Settings())


@pytest.mark.parametrize(
    ("seen", "directories"),
    [(b"/work", ["/srv/app/venv/bin", "/opt/bin"]), (b"/home/link", ["/srv/app/venv/bin", "/opt/bin"])],
    ids=["no link", "by a link"],
)
def test_directories_for_commands_are_relative_to_the_configs_directory(seen: bytes, directories: list[str]) -> None:
    planned = make(request(b"tox", root=seen), Settings(path=("venv/bin", "/opt/bin")))
    assert planned.script.path == directories


def test_directories_for_commands_without_a_root_are_relative_to_the_directory_asked_for() -> None:
    planned = make(request(b"tox", remote_directory=b"/srv"), Settings(path=("venv/bin",)), roots=[])
    assert planned.script.path == ["venv/bin"]


def test_a_missing_directory_of_the_project_can_be_created_and_filled() -> None:
    planned = make(request(b"ls", profile=b"far away"), roots=[Root("/work/src", "/srv/it's")])
    assert planned.script.lost == (
        "rdo: cannot enter the directory `/srv/it's` on `devbox`; if it is missing, "
        "`rdo -p 'far away' --dir / mkdir -p '/srv/it'\"'\"'s'` creates it and `rsync -a -e rdo-rsh ./ :` fills it, "
        'or `sync = "push"` does both; otherwise correct `directory`'
    )


@pytest.mark.parametrize(
    ("settings", "flags", "is_copied"),
    [
        (Settings(sync="push"), b"", True),
        (Settings(sync="push"), b"x", True),
        (Settings(sync="unison"), b"", False),
    ],
)
def test_a_missing_sync_directory_is_reported_with_what_is_not_copied(
    settings: Settings, flags: bytes, is_copied: bool
) -> None:
    lost = make(request(b"ls", flags=flags), settings).script.lost
    assert ("creates it; what git ignores, or `pull` names, is not copied there" in lost) is is_copied
    assert ("rsync" in lost) is not is_copied


def test_a_missing_directory_is_named_in_one_line() -> None:
    planned = make(request(b"ls", remote_directory=b"a\n\xff"))
    assert planned.script.lost == (
        r"rdo: cannot enter the directory `a\x0a\xff` on `devbox`; "
        r"if it is missing, `rdo --dir . mkdir -p 'a\x0a\xff'` creates it"
    )


def test_a_missing_directory_of_a_fresh_container_cannot_be_created_by_a_command() -> None:
    for given, hint in ((b"", "exist in the image, or correct `directory`"), (b"/x", "exist in the image")):
        planned = make(request(b"ls", remote_directory=given), Settings(image="alpine", fresh=True))
        assert planned.script.lost.endswith(f"; with `fresh`, it has to {hint}")


def test_a_command_is_kept_when_asked() -> None:
    assert make(request(b"make"), Settings(on_disconnect="keep")).script.keep


def test_the_modes_of_the_callers_terminal_are_for_stty() -> None:
    assert make(request(b"vi", modes=b"intr=3 ixon=0")).script.modes == (("intr", "^C"), ("-ixon",))


def test_the_options_of_sh_come_before_its_string() -> None:
    command = make(request(b"false; true", b"sh", flags=b"c", shell_options=b"-euo pipefail -c")).script.command
    assert command == ["/bin/sh", "-euo", "pipefail", "-c", "false; true", "sh"]
