"""Finds the machines of a Vagrant project: those that its Vagrantfile names literally, and those that Vagrant created.

A Vagrantfile is a program, which is not run here. A name that it computes is unknown until the machine was created.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rdo.drivers.vagrant.project import created_machines, find_project, known_machines
from rdo.errors import ConfigError

_COMMENT = re.compile(r"^=begin\b.*?^=end\b|(?:^|(?<=\s))#(?!\{)[^\n]*", re.MULTILINE | re.DOTALL)
_DEFINE = re.compile(r"\.vm\.define\b[ \t]*\(?[ \t]*([^\n]*)")
_LITERAL = re.compile(
    r"""(?:"([\w.-]+)"|'([\w.-]+)'|:"([\w.-]+)"|:'([\w.-]+)'|:([A-Za-z_]\w*))[ \t]*(?:,|\)|\{|do\b|$)"""
)


class Machines(NamedTuple):
    """The names that are known, in order, and whether the Vagrantfile computes others."""

    names: Sequence[str]
    computed: bool = False


def defined(text: str) -> Machines:
    """The machines that `config.vm.define` defines in the text of a Vagrantfile. Pure."""
    names, computed = [], False
    for match in _DEFINE.finditer(_COMMENT.sub("", text)):
        literal = _LITERAL.match(match[1].rstrip())
        names += [name for name in (literal.groups() if literal else ()) if name]
        computed = computed or literal is None
    return Machines(list(dict.fromkeys(names)), computed)


def machines(text: str, root: str, environment: Mapping[str, str]) -> Machines:
    """The machines of the project in `root`, whose Vagrantfile has this text, including those that Vagrant created."""
    named = defined(text)
    try:
        project = find_project(root, environment)
    except ConfigError:
        return named
    made = [name for name in known_machines(project) if created_machines(project, name)]
    if named.computed or not named.names:
        return Machines(list(dict.fromkeys([*named.names, *made])), named.computed)
    return named
