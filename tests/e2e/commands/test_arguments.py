"""Tests that arguments arrive exactly as they were typed."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.project import Project
from tests.soak import Counted, tries

pytestmark = pytest.mark.both_clients

AWKWARD = [
    b"", b"'", b'"', b"$(id)", b"`id`", b"*", b"-n", b"--", b"\n", b"\r", b"\\", b"a b", b"\xff\xfe", b"~", b"!x",
    b"%s", b"\x80\x81\x88", b"\x1b[31m", b"\x03", b"=", b"#", b"&&", b"{a,b}", b"\t", b"\x7f", b"'\n'",
]  # fmt: skip


def random_word(chance: random.Random) -> bytes:
    """A word of awkward pieces and random bytes; bytes() has all but NUL."""
    pieces = [chance.choice(AWKWARD) for _ in range(chance.randrange(3))]
    pieces.append(bytes(chance.randrange(1, 256) for _ in range(chance.randrange(8))))
    chance.shuffle(pieces)
    return b"".join(pieces)


def random_directory(chance: random.Random, number: int) -> bytes:
    """The unique name of a directory, without a slash, and no longer than a file system allows."""
    return (random_word(chance).replace(b"/", b"|") + b"%d" % number + random_word(chance).replace(b"/", b"|"))[:120]


@pytest.mark.soak
def test_random_arguments_arrive_identical_in_directories_with_random_names(
    anywhere: Project, counted: Counted
) -> None:
    chance = random.Random(25)
    count = tries(10, 2_500) if anywhere.takes_long else tries(25, 10_000)
    script = 'printf "%s\\0" "$(pwd; echo x)" "$#" "$@"'
    for number in counted("argument vectors and directory names", range(count)):
        name = random_directory(chance, number)
        there = os.path.join(os.fsencode(anywhere.remote), name)
        here = os.path.join(os.fsencode(anywhere.local), name)
        for directory in (here, there):
            os.mkdir(directory)
        words = [random_word(chance) for _ in range(chance.randrange(6))]
        result = anywhere.run("-C", here, "--no-map", "sh", "-c", script, "sh", *words)
        expected = [there + b"\nx", b"%d" % len(words), *words]
        assert result.stdout == b"".join(word + b"\0" for word in expected)
        for directory in (here, there):
            os.rmdir(directory)


def test_random_arguments_arrive_identical_on_a_terminal(anywhere: Project) -> None:
    chance = random.Random(26)
    for _ in range(3):
        words = [random_word(chance) for _ in range(300)]
        anywhere.run("-t", "--no-map", "sh", "-c", "printf '%s\\0' \"$@\" > vector", "sh", *words)
        assert (anywhere.remote / "vector").read_bytes() == b"".join(word + b"\0" for word in words)


@settings(max_examples=tries(20, 1000), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=30).filter(lambda word: b"\0" not in word), max_size=6))
def test_any_arguments_arrive_identical(project: Project, words: list[bytes]) -> None:
    expected = b"".join(word + b"\0" for word in words) if words else b"\0"
    assert project.run("--no-map", "printf", "%s\\0", *words).stdout == expected


@pytest.mark.parametrize("name", [b"it's", b'say "x"', b"new\nline", b"-dash", b"$(id)", b"*", b"\xff\xfe", b"~"])
def test_a_directory_of_any_name_is_entered(project: Project, name: bytes) -> None:
    for root in (project.local, project.remote):
        os.mkdir(os.path.join(os.fsencode(root), name))
    here = os.path.join(os.fsencode(project.local), name)
    result = project.run("-C", here, "pwd", "-P")
    assert result.stdout == os.path.join(os.fsencode(project.remote), name) + b"\n"


def test_a_command_line_of_a_megabyte_arrives(project: Project) -> None:
    words = ["x" * 1000] * 1000
    assert project.run("sh", "-c", "echo $#", "sh", *words).stdout == b"1000\n"


def test_arguments_after_the_command_are_never_parsed_as_options(project: Project) -> None:
    assert project.run("echo", "-p", "x", "--help", "--", "-v").stdout == b"-p x --help -- -v\n"


def test_a_command_that_starts_with_a_dash_is_searched_for(project: Project) -> None:
    result = project.run("--", "-x")
    assert result.returncode == 127
    assert b"-x" in result.stderr


def test_c_passes_a_string_to_the_shell_with_its_arguments(project: Project) -> None:
    result = project.run("-c", 'echo "$0,$1,$#"; exit 3', "zero", "one two")
    assert (result.stdout, result.returncode) == (b"zero,one two,1\n", 3)


def test_local_paths_in_arguments_become_remote_ones(configured: Project) -> None:
    local, remote = configured.local, configured.remote
    words = [f"{local}/a", f"--out={local}", f"-I{local}/src", f"@{local}/f", f"D={local}/d", f"{local}:/usr:{local}/b"]
    left = [f"x{local}", f"{local}x", "/usr", f"--a-{local}", "src"]
    expected = [word.replace(str(local), str(remote)) for word in words] + left
    assert configured.run("printf", "%s\\n", *words, *left).stdout.decode().splitlines() == expected
    assert configured.run("--no-map", "printf", "%s\\n", *words).stdout.decode().splitlines() == words
    assert configured.run("-c", f"echo '{local}' $0", str(local)).stdout.decode() == f"{local} {remote}\n"
