"""Parses the output of `rdoctl doctor`."""

from __future__ import annotations

from tests.e2e.project import Project

VERDICTS = ("ok", "warning", "failed", "skipped")


def examine(project: Project, options: str = "") -> tuple[int, dict[str, tuple[str, str]]]:
    """The exit status, and the verdict and text of each check."""
    result = project.shell(f"rdoctl doctor {options}")
    assert result.stderr == b""
    found = {}
    *lines, conclusion = result.stdout.decode().splitlines()
    found["conclusion"] = "", conclusion
    for line in lines:
        verdict, rest = line.split(None, 1)
        assert verdict in VERDICTS
        name, _, text = rest.partition(": ")
        found[name] = verdict, text
    return result.returncode, found
