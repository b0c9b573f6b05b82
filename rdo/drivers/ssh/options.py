"""The user's own OpenSSH configuration for one host, as frozen values. Pure.

They are read from what `ssh -G` prints in rdo.drivers.ssh.query_output.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from rdo.config.forwards import NO_FORWARDS, ForwardSet
from rdo.drivers.ssh.algorithms import Algorithms
from rdo.drivers.ssh.tokens import Tokens

if TYPE_CHECKING:
    from rdo.drivers.caller import Caller

DEFAULT_KEYS = (
    "id_rsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
    "id_xmss",
    "id_dsa",
    "id_mldsa44_ed25519",
)
"""Files that ssh(1) looks for where none is named: nobody expects all of them."""


BEGINNINGS = ("/", "~", "%", "${", "./", "../")
"""What a path that has more than a name begins with."""


class SshOptions(NamedTuple):
    """The effective options for one host; paths are absolute, tokens expanded, `none` is empty. See ssh_config(5)."""

    host: str
    """As it was asked for: the name before HostName replaced it."""
    hostname: str
    port: int
    user: str
    host_key_alias: str = ""
    identity: str = ""
    """The key that rdo's own configuration names; also the first of identity_files."""
    identity_files: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    add_keys_to_agent: str = ""
    """As `ssh -G` prints it."""
    identity_agent: str = ""
    """Path of the agent's socket; empty without an agent."""
    known_hosts: tuple[str, ...] = ()
    global_known_hosts: tuple[str, ...] = ()
    strict_host_key_checking: str = "ask"
    """ask, yes, accept-new or no."""
    hash_known_hosts: bool = False
    new_key_notice: str | None = None
    """What to say when a host key was recorded; None for what ssh says, empty for nothing."""
    connect_timeout: float | None = None
    address_family: str = "any"
    bind_address: str = ""
    proxy_command: str = ""
    proxy_jump: str = ""
    send_env: tuple[str, ...] = ()
    set_env: Mapping[str, str] = MappingProxyType({})
    forward_agent: str = ""
    """Path of the agent's socket that programs on the target may use; empty for none."""
    methods: tuple[str, ...] = ("publickey", "keyboard-interactive", "password")
    """Ways to log in that the user allows, preferred ones first."""
    password_prompts: int = 3
    host_bound: bool = True
    """Whether signatures may name the server's key, so that no other server can use them."""
    devices: str = ""
    """Of keyboard-interactive authentication, for the server to choose from."""
    batch: bool = False
    """Whether nothing may be asked."""
    algorithms: Algorithms = Algorithms()
    revoked_host_keys: tuple[str, ...] = ()
    """Files of keys, or KRLs. A file that cannot be used is an error, and not an empty one."""
    known_hosts_command: str = ""
    """Prints lines of a known_hosts file; with its tokens still in it, since some stand for the host's key."""
    tokens: Tokens = Tokens()
    """What they stand for."""
    variables_read: frozenset[str] = frozenset()
    """Names of the caller's variables that decided any of these."""
    trusts_localhost: bool = False
    """Whether a host key is not checked on this machine itself."""
    check_host_ip: bool = False
    fingerprint_hash: str = "SHA256"
    version_addendum: str = ""
    """Text for the server after our version."""
    quiet: bool = False
    """Whether banners and notices are not shown."""
    local_command: str = ""
    """To run here once the connection is there; empty where that is not permitted, too."""
    proxy_fdpass: bool = False
    """Whether the ProxyCommand hands over a connected socket, and ends."""
    tcp_keepalive: bool = True
    qos: int | None = None
    """The mark of packets; None: the system's."""
    attempts: int = 1
    """To connect."""
    alive_interval: float = 0.0
    """Seconds of silence after which the server is asked for a sign of life; 0: as rdo sees fit."""
    alive_count: int = 3
    """Signs of life that may fail to come in a row."""
    ignored: tuple[str, ...] = ()
    """What of the configuration has no effect, a line for each option."""
    copy_command: str = ""
    """What puts a key of the user's there."""
    refused: tuple[str, ...] = ()
    """What forbids a connection, a line for each option."""

    forwards: ForwardSet = NO_FORWARDS
    """Held as long as the target is."""

    @property
    def address(self) -> str:
        """`user@host`, and the port where it is not 22: the target's name for people."""
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != 22 else "")

    @property
    def known_as(self) -> str:
        """The name that known_hosts files have for this host."""
        name = self.host_key_alias or self.hostname
        return name if self.port == 22 or self.host_key_alias else f"[{name}]:{self.port}"


OF_COMMANDS = ("host", "send_env", "set_env", "forwards")
"""What a command may have otherwise than the next one on the same connection, or bring along to it."""

OF_MESSAGES = ("new_key_notice", "fingerprint_hash", "quiet", "ignored", "copy_command")
"""What decides only what is said."""

OF_QUESTIONS = ("password_prompts", "batch", "add_keys_to_agent", "hash_known_hosts", "connect_timeout", "attempts")
"""What counts while one logs in, and is over then."""


def login_key(options: SshOptions) -> tuple[Hashable, ...]:
    """Equal for options by which the same user comes to the same host in the same way: they may share a connection.

    A forwarded agent counts: sshd tells every session of a connection of one that any of them has asked for.
    """
    names = options.tokens[:-1] if options.known_hosts_command or options.local_command else ()  # else expanded by now
    return (*names, *_of_login(options).values())


def login_details(options: SshOptions) -> Mapping[str, str]:
    """Those of them that can be shown, by their names."""
    of_login = _of_login(options).items()
    return {name.replace("_", " "): str(value) for name, value in of_login if isinstance(value, str | int | float)}


def _of_login(options: SshOptions) -> Mapping[str, Hashable]:
    left_out = {*OF_COMMANDS, *OF_MESSAGES, *OF_QUESTIONS, "tokens", "variables_read"}
    return {name: value for name, value in options._asdict().items() if name not in left_out}


def variables(options: SshOptions | None, caller: "Caller") -> Mapping[str, str]:
    """What SendEnv and SetEnv ask the server for; of a name in both, SetEnv's value counts, as with ssh(1)."""
    if options is None or not options.send_env:  # only where it is needed is the caller's environment looked at
        return options.set_env if options else {}
    fits = _matcher(options.send_env)
    return {**{name: value for name, value in caller.environment.items() if fits(name)}, **options.set_env}


@lru_cache(maxsize=16)
def _matcher(patterns: tuple[str, ...]) -> Callable[[str], object]:
    """Whether a name fits any of them, in which `*` and `?` alone are special. At once, as each command pays for it."""
    whole = "|".join(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in patterns)
    return re.compile(whole, re.DOTALL).fullmatch


def paths(text: str) -> tuple[str, ...]:
    """Split paths that `ssh -G` prints without quotes. After an absolute one, what cannot begin a path continues it:
    that has a blank in it. After a relative one it counts as another path: there are more of those.
    """
    found: list[str] = []
    for word in text.split(" "):
        if found and found[-1].startswith(BEGINNINGS) and not word.startswith(BEGINNINGS):
            found[-1] += " " + word
        elif word:
            found.append(word)
    return tuple(found)
