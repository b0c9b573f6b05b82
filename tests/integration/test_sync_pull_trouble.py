"""A pull from a target that cannot send everything: the rest arrives, and one line says what is missing and why."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.errors import RdoError
from tests.one_shell import OneShell
from tests.sync_target import Side, contents, texts, write
from tests.target_tools import tools
from tests.unit.remote_sh.shells import SHELLS

MANY = 1200
"""Files whose names, of this length, do not fit into one command line of tar."""

NAME = "dist/" + "n" * 200

SideOf = Callable[..., Side]


@pytest.fixture
def side_of(tmp_path: Path) -> Iterator[SideOf]:
    """Makes a project and a target with this shell, in which a program is replaced by a script."""
    pools: list[OneShell] = []

    def made(shell: str = "bash", **programs: str) -> Side:
        path = tools(tmp_path / "tools", without=[name for name, text in programs.items() if not text])
        for name, text in programs.items():
            program = Path(path) / name
            program.unlink(missing_ok=True)
            if text:
                program.write_text(f"#!/bin/sh\n{text}\n")
                program.chmod(0o755)
        pools.append(OneShell(shell, path))
        side = Side(tmp_path, pools[-1])
        side.push()
        return side

    yield made
    for pool in pools:
        pool.close()


def vanishing(path: str) -> str:
    """A tar before which a file is removed."""
    return f'/bin/rm -f {path}\nexec {shutil.which("tar")} "$@"'


def unreadable(path: str) -> str:
    """A tar that may not read a file, which root always may."""
    return f"""failed=
for each do
    shift
    if [ "$each" = ./{path} ]; then failed=1; else set -- "$@" "$each"; fi
done
{shutil.which("tar")} "$@"
status=$?
[ -z "$failed" ] || {{ echo "tar: ./{path}: Cannot open: Permission denied" >&2; exit 2; }}
exit $status"""


@pytest.mark.parametrize("shell", [name for name in SHELLS if shutil.which(SHELLS[name].split()[0])])
def test_a_file_that_cannot_be_read_there_keeps_no_other_from_coming(side_of: SideOf, shell: str) -> None:
    side = side_of(shell, tar=unreadable("dist/0"))
    write(side.there, {"dist/0": "0", **{f"{NAME}{each}": str(each) for each in range(MANY)}})
    result = side.pull(b"dist")
    assert (result.pulled, result.conflicts) == (MANY, ())
    assert result.refused == ((b"dist/0", "tar: ./dist/0: Cannot open: Permission denied"),)


def test_a_file_that_vanishes_there_meanwhile_is_not_missed(side_of: SideOf) -> None:
    side = side_of(tar=vanishing("dist/0"))
    write(side.there, {"dist/0": "0", **{f"{NAME}{each}": str(each) for each in range(MANY)}})
    result = side.pull(b"dist")
    assert (result.pulled, result.refused) == (MANY, ())
    assert contents(side.here) == contents(side.there)


def test_a_directory_that_cannot_be_read_there_is_reported(side_of: SideOf) -> None:
    complaint = "find: './dist/private': Permission denied"
    side = side_of(find=f'{shutil.which("find")} "$@"\necho "{complaint}" >&2\necho more >&2\nexit 1')
    write(side.there, {"dist/a": "1", "cov": "2"})
    result = side.pull(b"dist", b"cov", b"none")
    assert texts(side.here) == {b"dist/a": b"1", b"cov": b"2"}
    assert result.refused == tuple((path, f"not all of it can be read: {complaint}") for path in (b"dist", b"cov"))
    (side.there / "dist/a").unlink()
    assert side.pull(b"dist", b"cov").removed == 0  # it may be one of those that cannot be read


def test_what_vanishes_while_it_is_examined_is_not_reported(side_of: SideOf) -> None:
    complaint = "find: './dist/b': No such file or directory"
    side = side_of(find=f'{shutil.which("find")} "$@"\necho "{complaint}" >&2\nexit 1')
    write(side.there, {"dist/a": "1"})
    assert side.pull(b"dist") == (1, 0, 1, (), ())


def test_a_target_without_find_says_so(side_of: SideOf) -> None:
    side = side_of(find="")
    write(side.there, {"dist/a": "1"})
    with pytest.raises(RdoError, match="it has no usable `find`; install it there"):
        side.pull(b"dist")


@pytest.mark.parametrize("word", ["scanned 0", "fault directory", "fault find", "pulls x"])
def test_a_name_is_not_taken_for_a_report(side_of: SideOf, word: str) -> None:
    side = side_of()
    write(side.there, {"dist/a": "1", f"dist/b\n!{word}": "2", f"dist/c\n!{word}\n": "3", "dist/d": "4"})
    assert side.pull(b"dist").pulled == 4
    assert contents(side.here) == contents(side.there)
