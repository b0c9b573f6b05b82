"""Describes this machine for readers of the results."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

from tests.sshd import find_sshd

ASK_TIMEOUT = 10.0
"""Seconds for a program to print its version, which usually happens at once."""


def describe() -> dict[str, str]:
    """The cores, processor, system and versions."""
    sshd = find_sshd()
    return {
        "cores": str(os.cpu_count()),
        "cpu": processor(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "ssh": _first_line("ssh", "-V"),
        "sshd": _first_line(sshd, "-V") if sshd else "none",
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def sentence(machine: dict[str, str]) -> str:
    """The same as a sentence."""
    client = machine["ssh"].partition(",")[0]
    return (
        f"{machine['cores']} cores of {machine['cpu']}, {machine['system']}, {machine['python']}, {client} on both"
        f" sides, over loopback. The load average at the start was {machine['load']}."
    )


def processor() -> str:
    """The name of the processor's model, as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return _first_line("sysctl", "-n", "machdep.cpu.brand_string")
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "an unnamed processor"


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    lines = [line for line in (done.stdout + done.stderr).decode("utf-8", "replace").splitlines() if "OpenSSH" in line]
    return lines[0] if lines else done.stdout.decode("utf-8", "replace").strip() or "unknown"
