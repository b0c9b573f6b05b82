"""Host keys of Vagrant machines, known by the machine's id."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.drivers.ssh.known_hosts import HostKey, append, format_line
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.vagrant.known_hosts import MachineKnownHosts, host_key_alias
from rdo.drivers.vagrant.machine import VagrantMachine

MACHINE = VagrantMachine("web", "docker", "ID-1", "/p/.vagrant/machines/web/docker")
REBUILT = MACHINE._replace(id="ID-2")
KEY = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519one")
UNCHECKED = SshOptions("web", "127.0.0.1", 2222, "vagrant", strict_host_key_checking="no", known_hosts=("/dev/null",))


@pytest.fixture
def known(tmp_path: Path) -> MachineKnownHosts:
    return MachineKnownHosts({"XDG_STATE_HOME": str(tmp_path)}, "/p/.vagrant", "web")


def record(known: MachineKnownHosts, machine: VagrantMachine) -> None:
    append(known.path, format_line(host_key_alias(machine), KEY, None))


def test_a_machine_that_vagrant_checks_not_is_checked_under_its_id(known: MachineKnownHosts) -> None:
    options = known.guard(UNCHECKED, MACHINE)
    assert (options.known_as, options.known_hosts) == ("vagrant-id-1", (known.path,))
    assert options.strict_host_key_checking == "accept-new"


def test_a_check_that_the_vagrantfile_asks_for_stays_as_it_is(known: MachineKnownHosts) -> None:
    strict = UNCHECKED._replace(strict_host_key_checking="ask")
    assert known.guard(strict, MACHINE) is strict


def test_the_first_key_of_all_is_recorded_without_a_word(known: MachineKnownHosts) -> None:
    assert known.guard(UNCHECKED, MACHINE).new_key_notice == ""


def test_a_re_created_machine_gets_a_line(known: MachineKnownHosts) -> None:
    record(known, MACHINE)
    notice = known.guard(UNCHECKED, REBUILT).new_key_notice
    assert notice == "`vagrant web` was re-created: its new host key replaces the recorded one"
    assert known.guard(UNCHECKED, MACHINE).new_key_notice == ""


def test_keys_of_earlier_machines_are_forgotten_once_the_new_one_is_known(known: MachineKnownHosts) -> None:
    record(known, MACHINE)
    known.settle(REBUILT)
    assert "vagrant-id-1 " in Path(known.path).read_text()
    record(known, REBUILT)
    known.settle(REBUILT)
    assert Path(known.path).read_text() == format_line("vagrant-id-2", KEY, None) + "\n"


def test_an_id_is_never_a_pattern() -> None:
    assert host_key_alias(MACHINE._replace(id="A b,*?!|[é]")) == "vagrant-a_b________"
