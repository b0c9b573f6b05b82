"""What is measured, compared with what, and the goals that rdo should meet. Pure data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """One row. With a peer, `bound` limits the ratio of rdo to the peer; without one, it limits the value."""

    key: str
    title: str
    peer: str
    unit: str
    """One of ms, MB/s (10^6 bytes), 1/s, MiB, % of a core, and lost commands."""
    bound: float
    repetitions: int
    quick: int
    """Repetitions with --quick."""
    at_least: bool = False
    """Whether more is better."""

    def holds(self, value: float) -> bool:
        """Whether the ratio, or the value of a row without a peer, meets the goal."""
        return value >= self.bound if self.at_least else value <= self.bound


HELD = "ssh, warm ControlMaster"

LISTENING = "ssh -L, warm ControlMaster"

RSYNC = "rsync -a, warm ControlMaster"

GOALS = (
    Goal("warm-ssh", "warm `rdo true`, login shell sh", HELD, "ms", 0.3, 100, 30),
    Goal("warm-cpu", "the same, CPU of client and master", f"{HELD}, both", "ms", 0.7, 20, 4),
    Goal("warm-python", "the same", "python -c pass, same venv", "ms", 0.5, 100, 30),
    Goal("warm-fallback", "the same by the client in Python", "python -c pass, same venv", "ms", 2.0, 100, 30),
    Goal("client-cpu", "the client in C alone, CPU", "/bin/true", "ms", 3.0, 100, 30),
    Goal("warm-bash", "warm, login shell bash, .bashrc of 80 ms", HELD, "ms", 0.1, 50, 15),
    Goal("warm-50ms", "warm, 50 ms round trip", HELD, "ms", 0.5, 50, 15),
    Goal("cold-ssh", "cold (no master)", "ssh, no ControlMaster", "ms", 1.3, 20, 4),
    Goal("cold-50ms", "cold, 50 ms round trip", "ssh, no ControlMaster", "ms", 1.0, 15, 3),
    Goal("parallel", "200 commands, 16 at a time", f"{HELD}, MaxSessions 100", "ms", 0.6, 7, 1),
    Goal("make", "`make -j8 SHELL=rdo`, 500 recipe lines", f"{HELD}, MaxSessions 100", "ms", 0.6, 5, 1),
    Goal("bulk-out", "1 GB from remote `head -c` to a local pipe", HELD, "MB/s", 1.3, 7, 2, at_least=True),
    Goal("bulk-in", "1 GB from a local pipe to remote `cat`", HELD, "MB/s", 1.17, 7, 2, at_least=True),
    Goal("docker", "warm, docker", "docker exec", "ms", 0.06, 50, 10),
    Goal("vagrant", "warm, vagrant", "vagrant ssh -c", "ms", 0.002, 7, 2),
    Goal("mapper", "output mapping alone, one match a line", "", "MB/s", 200.0, 7, 3, at_least=True),
    Goal("memory-idle", "control master, idle", "", "MiB", 64.0, 1, 1),
    Goal("memory-growth", "control master, growth by 4 GB each way", "", "MiB", 16.0, 1, 1),
    Goal("second-project", "first command of a second project on a host", "warm `rdo true`", "ms", 1.3, 50, 15),
    Goal("new-host", "first command to a host, master running", "ssh, no ControlMaster", "ms", 0.75, 20, 4),
    Goal("beside-stream", "warm `rdo true` beside another host's stream", "the same without it", "ms", 1.5, 50, 15),
    Goal("memory-many", "control master, ten profiles on three hosts", "", "MiB", 60.0, 1, 1),
    Goal("sync-clean", "sync of 20,000 files, nothing to copy: what it adds", "", "ms", 5.0, 50, 15),
    Goal(
        "sync-edit",
        "one of 20,000 files edited, then `true`",
        f"{RSYNC}, then ssh",
        "ms",
        0.3,
        20,
        5,
    ),
    Goal("sync-edit-50ms", "the same, 50 ms round trip", f"{RSYNC}, then ssh", "ms", 0.3, 15, 4),
    Goal("sync-first", "first copy of 20,000 files", RSYNC, "ms", 1.1, 5, 1),
    Goal("sync-large", "first copy of 1 GB in one file", RSYNC, "ms", 1.1, 5, 1),
    Goal("memory-sync", "control master, growth by 20,000 synced files", "", "MiB", 30.0, 1, 1),
    Goal("forward", "1 GB through a forwarded port", LISTENING, "MB/s", 1.0, 7, 2, at_least=True),
    Goal("requests", "requests through a forwarded port, 50 connections", LISTENING, "1/s", 0.8, 7, 2, at_least=True),
    Goal("reachable", "from listening there to being reachable here", "", "ms", 500.0, 15, 4),
    Goal("watch-here", "watching for ports, CPU of the control master", "", "%", 1.0, 6, 1),
    Goal("watch-there", "the same, CPU of the target", "", "%", 1.0, 6, 1),
    Goal("burst", "500 commands at once on three hosts", "", "lost", 0.0, 3, 1),
)
