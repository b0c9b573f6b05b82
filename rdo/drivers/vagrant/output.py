"""Parses the output of `vagrant`: machine-readable lines, states, and error messages. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rdo.drivers.vagrant.project import RUNNING
from rdo.util.lines import BLANKS, split_lines
from rdo.util.phrases import shortened

COMMA = "%!(VAGRANT_COMMA)"

HOST_NAME = re.compile("HostName[ \t]+[^ \t]+")

LIST_LIMIT = 10
"""Machines that an error message lists."""

COMPLAINT_LIMIT = 300
"""Characters of Vagrant's message that an error message includes."""

RESUMABLE = ("saved", "suspended", "paused")
"""States that `vagrant resume` is for, in the terms of VirtualBox, VMware and libvirt."""


class OutputRecord(NamedTuple):
    """A line of `vagrant --machine-readable`: its machine (may be empty), the type of the record, and the values."""

    machine: str
    kind: str
    values: tuple[str, ...]


class MachineState(NamedTuple):
    """The state of a machine, in the provider's term and as text for people."""

    word: str
    text: str

    @property
    def runs(self) -> bool:
        return self.word == RUNNING

    @property
    def verb(self) -> str:
        """The subcommand of `vagrant` that starts the machine."""
        return "resume" if self.word in RESUMABLE else "up"


NOT_CREATED = MachineState("not_created", "not created")


def records(text: str) -> Iterator[OutputRecord]:
    """The lines of machine-readable output, which is comma-separated. Other lines are ignored."""
    for line in split_lines(text):
        stamp, *fields = line.rstrip("\r").split(",")
        if stamp.isdecimal() and len(fields) >= 2:
            values = tuple(value.replace(COMMA, ",").replace("\\n", "\n").replace("\\r", "\r") for value in fields[2:])
            yield OutputRecord(fields[0], fields[1], values)


def states(text: str) -> dict[str, MachineState]:
    """The states of a project's machines in the output of `vagrant status`, in the order of the Vagrantfile."""
    words, texts = _values(text, "state"), _values(text, "state-human-short")
    return {
        name: MachineState(word, (texts.get(name) or word.replace("_", " "))[:COMPLAINT_LIMIT])
        for name, word in words.items()
    }


def target(text: str) -> str | None:
    """The machine that `vagrant ssh` chose without a name; None if it could not."""
    return next((record.machine for record in records(text) if record.kind == "action" and record.machine), None)


def ssh_config(text: str, name: str) -> str:
    """The machine's configuration in the output of `vagrant ssh-config`, without what plugins print before it.

    Empty if the output is about another machine, or names no host: ssh would then take the machine's name for a host
    name.
    """
    lines = split_lines(text)
    begin = next((number for number, line in enumerate(lines) if line.startswith("Host ")), len(lines))
    options = [line.strip(BLANKS + "\r") for line in lines[begin:]]
    if f"Host {name}" not in options or not any(HOST_NAME.fullmatch(line) for line in options):
        return ""
    return "".join(f"{line}\n" for line in lines[begin:])


def complaint(output: str, errors: str) -> str:
    """Why Vagrant failed, in one line."""
    exits = [record.values[-1] for record in records(output) if record.kind == "error-exit" and record.values]
    text = exits[-1] if exits else errors
    return shortened(_of_vagrantfile(text) or _last_paragraph(text), COMPLAINT_LIMIT)


def _values(text: str, kind: str) -> dict[str, str]:
    found = (record for record in records(text) if record.kind == kind)
    return {record.machine: record.values[0] for record in found if record.machine and record.values}


def _of_vagrantfile(text: str) -> str:
    """Vagrant's message about an error in the Vagrantfile, if this is one: path, line and message."""
    names = ("Path", "Line number", "Message")
    found = dict(line.split(": ", 1) for line in split_lines(text) if line.startswith(tuple(f"{n}: " for n in names)))
    place = ":".join(found[name] for name in names[:2] if found.get(name, "0") != "0")  # 0 stands for unknown
    return ": ".join(part for part in (place, found["Message"]) if part) if "Message" in found else ""


def _last_paragraph(text: str) -> str:
    """The last paragraph. Vagrant wraps its sentences, and prints the important one last; after `file:line: why` there
    is only source code."""
    paragraphs = [part for part in text.strip().split("\n\n") if part.strip()]
    lines = [line.strip() for line in split_lines(paragraphs[-1])] if paragraphs else []
    where = lines[0].split(": ")[0].rpartition(":")[2] if lines else ""
    return lines[0] if where.isdecimal() else " ".join(lines)
