"""`make demo`: starts a temporary SSH server, runs commands on it with rdo in a small project, and cleans up.

None of the user's own files are read or written: home, configuration and runtime directory are temporary.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from compare import compare

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent

COMMAND_TIMEOUT = 60.0
"""Seconds after which a line of the demo is considered to hang. The first one has to log in."""

END_TIMEOUT = 10.0
"""Seconds for the server and the control master to end. After that, the server is killed and the master is left."""

CONF = """\
driver = "ssh"
host = "demo"
directory = "{directory}"
"""


NEXT = """
What to type next, in a project of yours:

    pipx install {checkout}
    rdoctl init            # writes a .rdo.conf, and asks for what it needs to know
    rdo make test          # or whatever you type there
    rdoctl man             # the manual; the guides are in docs/
"""


class DemoError(Exception):
    """A line of the demo failed."""


def environment(root: Path) -> dict[str, str]:
    """Variables that make rdo use the demo's directory instead of the user's own files."""
    directories = {
        "HOME": root / "home",
        "XDG_CACHE_HOME": root / "home/.cache",
        "XDG_CONFIG_HOME": root / "home/.config",
        "XDG_RUNTIME_DIR": root / "run",
        "XDG_STATE_HOME": root / "home/.state",
    }
    for directory in directories.values():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        **{name: str(directory) for name, directory in directories.items()},
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "RDO_SSH_CONFIG": str(root / "keys/ssh_config"),
        "TERM": os.environ.get("TERM", "dumb"),
    }


@contextlib.contextmanager
def server(root: Path) -> Iterator[None]:
    """Run the server. It ends at the end of its input, so it cannot outlive this program."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "server.py"), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C must not reach it: the master needs it to end cleanly
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.stdout.readline() != b"ready\n":
                raise DemoError("the server did not start")
            yield
        finally:
            process.stdin.close()
            try:
                process.wait(END_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


def project(root: Path) -> Path:
    """Copy the project. The "VM" has it as a shared directory, under another path."""
    local, shared = root / "myapp", root / "vm/srv/myapp"
    shutil.copytree(HERE / "project", local)
    shared.parent.mkdir(parents=True)
    shared.symlink_to(local)
    (local / ".rdo.conf").write_text(CONF.format(directory=shared))
    return local


def show(line: str, directory: Path, env: Mapping[str, str]) -> None:
    """Print a line as if it had been typed, and run it."""
    print(f"$ {line}", flush=True)
    status = subprocess.run(
        ["/bin/sh", "-c", line], cwd=directory, env=env, stdin=subprocess.DEVNULL, check=False, timeout=COMMAND_TIMEOUT
    ).returncode
    if status:
        raise DemoError(f"`{line}` ended with status {status}")


def trust(directory: Path, env: Mapping[str, str]) -> None:
    """Allow the project's config, which is necessary once for a project from somebody else."""
    show("rdoctl allow --yes", directory, env)


@contextlib.contextmanager
def master_ended(root: Path, env: Mapping[str, str]) -> Iterator[None]:
    """End the control master afterwards, whatever happens."""
    try:
        yield
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [BIN / "rdoctl", "stop", "--all"],
                cwd=root,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                check=False,
                timeout=END_TIMEOUT,
            )


def run(root: Path) -> None:
    """Run the demo itself in its own directory."""
    env = environment(root)
    with server(root), master_ended(root, env):
        local = project(root)
        show("cat .rdo.conf", local, env)
        trust(local, env)
        show("cd src && rdo make bootstrap", local, env)
        show("printf 'pear\\napple\\nfig\\n' | rdo sort | head -2", local / "src", env)
        show("rdo sh -c 'exit 7'; echo $?", local / "src", env)
        show("rdoctl status", local / "src", env)
        compare(root, local, BIN / "rdo", env)
    print(NEXT.format(checkout=shlex.quote(str(HERE.parent))), end="", flush=True)


def interrupted(number: int, _frame: FrameType | None) -> None:
    """Exit by an exception, so that everything is cleaned up. Further signals are ignored meanwhile."""
    for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> None:
    """Run the demo in a temporary directory in /tmp, because the path of a socket is limited to 104 bytes."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    with tempfile.TemporaryDirectory(prefix="rdo-demo-", dir="/tmp", ignore_cleanup_errors=True) as name:
        try:
            run(Path(name).resolve())
        except (DemoError, OSError, subprocess.SubprocessError) as error:
            raise SystemExit(f"demo: {error}") from None


if __name__ == "__main__":
    main()
