"""Compares how long a command takes over rdo and over `ssh`, with and without a held connection, on a link as slow as
that to a VM in the cloud."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from distance import ROUND_TRIP, far

RUNS = 5
"""Runs of each timed command: enough for a median, in a few seconds."""

TIMEOUT = 60.0
"""Seconds for one command; the first one has to log in."""

ALIAS = """
Host far
    HostName 127.0.0.1
    Port {port}
    HostKeyAlias [127.0.0.1]:{server}
{rest}"""


def compare(root: Path, project: Path, rdo: Path, env: Mapping[str, str]) -> None:
    """Print the medians. The commands take turns, so that all of them run under the same conditions."""
    config = root / "keys/ssh_config"
    server = next(int(line.split()[1]) for line in config.read_text().splitlines() if line.strip().startswith("Port "))
    with far(server) as port:
        rest = [line for line in config.read_text().splitlines()[1:] if line.split()[0] not in ("HostName", "Port")]
        with config.open("a") as file:
            file.write(ALIAS.format(port=port, server=server, rest="\n".join(rest)) + "\n")
        (project / ".rdo.local.conf").write_text('[far]\nhost = "far"\n')
        _print(_lines(root, rdo, env), project, {**env, "RDO_TRUST": "1"})


def _lines(root: Path, rdo: Path, env: Mapping[str, str]) -> dict[str, list[str]]:
    lines = {"rdo": [str(rdo), "-p", "far", "true"]}
    if ssh := shutil.which("ssh"):
        plain = [ssh, "-F", env["RDO_SSH_CONFIG"], "-o", "BatchMode=yes"]
        shared = ["-o", "ControlMaster=auto", "-o", "ControlPersist=10", "-o", f"ControlPath={root}/mux"]
        lines["ssh with a ControlMaster"] = [*plain, *shared, "far", "true"]
        lines["ssh"] = [*plain, "-o", "ControlPath=none", "far", "true"]
    return lines


def _print(lines: Mapping[str, Sequence[str]], project: Path, env: Mapping[str, str]) -> None:
    for line in lines.values():
        _seconds(line, project, env)  # logs in
    times: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(RUNS):
        for name, line in lines.items():
            times[name].append(_seconds(line, project, env))
    print(f"\n`true` on a host {ROUND_TRIP * 1000:.0f} ms away, median of {RUNS} runs:")
    for name, taken in times.items():
        print(f"    {name:<26}{statistics.median(taken) * 1000:6.0f} ms", flush=True)


def _seconds(argv: Sequence[str], project: Path, env: Mapping[str, str]) -> float:
    """The seconds that a command takes from start to end."""
    start = time.perf_counter()
    quiet = subprocess.DEVNULL
    subprocess.run(argv, cwd=project, env=env, stdin=quiet, stderr=quiet, check=True, timeout=TIMEOUT)
    time.sleep(ROUND_TRIP)  # nobody types faster, and another shell can become ready
    return time.perf_counter() - start - ROUND_TRIP
