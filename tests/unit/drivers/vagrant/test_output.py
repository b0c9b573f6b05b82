"""Tests for parsing the output of `vagrant`. The texts are from Vagrant 2.3.4."""

from __future__ import annotations

import pytest

from rdo.drivers.vagrant.output import (
    COMPLAINT_LIMIT,
    MachineState,
    OutputRecord,
    complaint,
    records,
    ssh_config,
    states,
    target,
)

STATUS = r"""1795202145,web,metadata,provider,docker
1795202145,db,metadata,provider,docker
1795202145,web,provider-name,docker
1795202145,web,state,not_created
1795202145,web,state-human-short,not created
1795202145,web,state-human-long,If a machine is not created%!(VAGRANT_COMMA) only the\ndefault provider will be shown.
1795202145,db,state,running
1795202145,,ui,info,Current machine states:\n\nweb                       not created (docker)
"""

SYNTAX = """Vagrant failed to initialize at a very early stage:

There is a syntax error in the following Vagrantfile. The syntax error
message is reproduced below for convenience:

/p/Vagrantfile:1: syntax error, unexpected end-of-input
Vagrant.configure("2") do |c|
                             ^
"""

UNDEFINED = """Vagrant failed to initialize at a very early stage:

There was an error loading a Vagrantfile. The file being loaded
and the error message are shown below. This is usually caused by
an invalid or undefined variable.

Path: /p/Vagrantfile
Line number: 1
Message: undefined local variable or method `nope'

Vagrant.configure("2") do |c| c.vm.box = nope; end
                                         ^^^^
"""

NO_MACHINE = """The machine with the name 'nope' was not found configured for
this Vagrant environment.
"""


def test_a_machine_readable_line_has_its_commas_and_newlines_back() -> None:
    assert list(records(STATUS))[5] == OutputRecord(
        "web", "state-human-long", ("If a machine is not created, only the\ndefault provider will be shown.",)
    )


@pytest.mark.parametrize("text", ["", "hello", "1,2", "now,web,state,running", "==> web: x, y, z"])
def test_other_lines_are_skipped(text: str) -> None:
    assert list(records(text)) == []


def test_the_states_of_all_machines_in_the_order_of_the_vagrantfile() -> None:
    assert list(states(STATUS).items()) == [
        ("web", MachineState("not_created", "not created")),
        ("db", MachineState("running", "running")),
    ]


@pytest.mark.parametrize(
    ("word", "verb"),
    [("poweroff", "up"), ("not_created", "up"), ("aborted", "up"), ("saved", "resume"), ("suspended", "resume")],
)
def test_a_state_has_a_command_that_changes_it(word: str, verb: str) -> None:
    state = MachineState(word, word)
    assert (state.verb, state.runs) == (verb, False)


def test_the_machine_that_vagrant_chooses() -> None:
    assert target("1,web,metadata,provider,docker\n1,db,metadata,provider,docker\n1,db,action,ssh,start\n") == "db"
    assert target("1,web,metadata,provider,docker\n1,,ui,error,This command requires a specific VM name\n") is None


def test_what_plugins_say_before_the_ssh_configuration_is_dropped() -> None:
    config = "Host default\n  HostName ::1\n  Port 2222\n\n"
    assert ssh_config("plugin: hello\n\n" + config, "default") == config


@pytest.mark.parametrize(
    "text",
    ["nothing", "Host default\n", "Host default\n  HostName\n", "Host other\n  HostName ::1\n", "  HostName ::1\n"],
)
def test_a_configuration_without_the_machine_s_address_is_not_used(text: str) -> None:
    assert ssh_config(text, "default") == ""


@pytest.mark.parametrize(
    ("errors", "line"),
    [
        (SYNTAX, "/p/Vagrantfile:1: syntax error, unexpected end-of-input"),
        (UNDEFINED, "/p/Vagrantfile:1: undefined local variable or method `nope'"),
        (UNDEFINED.replace("number: 1", "number: 0"), "/p/Vagrantfile: undefined local variable or method `nope'"),
        (NO_MACHINE, "The machine with the name 'nope' was not found configured for this Vagrant environment."),
        ("", ""),
        ("x" * 1000, "x" * COMPLAINT_LIMIT + "..."),
    ],
    ids=["syntax", "undefined", "no line number", "no machine", "nothing", "long"],
)
def test_an_error_message_is_one_meaningful_line(errors: str, line: str) -> None:
    assert complaint("", errors) == line


def test_an_error_message_in_machine_readable_output() -> None:
    output = (
        r"1,,ui,error,other" + "\n" + r"1,,error-exit,Vagrant::Errors::X,It is bad%!(VAGRANT_COMMA)\nvery bad." + "\n"
    )
    assert complaint(output, "warning: old Ruby") == "It is bad, very bad."
