"""Many commands at a time over one connection."""

from __future__ import annotations

from tests.e2e.project import Project


def test_hundreds_of_commands_eight_at_a_time_all_succeed(project: Project) -> None:
    line = "rdo true; seq 300 | xargs -P 8 -I{} rdo echo {} | sort -n | uniq | wc -l"
    result = project.shell(line)
    assert (result.stdout.strip(), result.stderr) == (b"300", b"")
