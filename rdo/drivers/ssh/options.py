"""The user's own OpenSSH configuration for a host, as frozen values. Pure.

rdo.drivers.ssh.query_output reads them from the output of `ssh -G`.
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
"""Files that ssh(1) looks for if none is named, not all of which are expected to exist."""


BEGINNINGS = ("/", "~", "%", "${", "./", "../")
"""How a path that is more than a name can begin."""


class SshOptions(NamedTuple):
    """The effective options for a host. Paths are absolute, tokens expanded, and `none` is empty. See ssh_config(5)."""

    host: str
    """The name as typed, before HostName replaced it."""
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
    """The path of the agent's socket; empty without an agent."""
    known_hosts: tuple[str, ...] = ()
    global_known_hosts: tuple[str, ...] = ()
    strict_host_key_checking: str = "ask"
    """ask, yes, accept-new or no."""
    hash_known_hosts: bool = False
    new_key_notice: str | None = None
    """What to report when a host key was recorded; None for ssh's own message, empty for nothing."""
    connect_timeout: float | None = None
    address_family: str = "any"
    bind_address: str = ""
    proxy_command: str = ""
    proxy_jump: str = ""
    send_env: tuple[str, ...] = ()
    set_env: Mapping[str, str] = MappingProxyType({})
    forward_agent: str = ""
    """The path of the agent's socket that programs on the target may use; empty for none."""
    methods: tuple[str, ...] = ("publickey", "keyboard-interactive", "password")
    """The authentication methods that the user allows, in order of preference."""
    password_prompts: int = 3
    host_bound: bool = True
    """Whether signatures may include the server's key, so that no other server can use them."""
    devices: str = ""
    """Devices for keyboard-interactive authentication, from which the server chooses."""
    batch: bool = False
    """Whether no questions may be asked."""
    algorithms: Algorithms = Algorithms()
    revoked_host_keys: tuple[str, ...] = ()
    """Files of keys, or KRLs. A file that cannot be used is an error, rather than an empty one."""
    known_hosts_command: str = ""
    """A command that prints lines of a known_hosts file. Its tokens are unexpanded, since some stand for the host's
    key."""
    tokens: Tokens = Tokens()
    """The values of the tokens."""
    variables_read: frozenset[str] = frozenset()
    """The names of the caller's variables that influenced any of these."""
    trusts_localhost: bool = False
    """Whether host keys are not checked for this machine itself."""
    check_host_ip: bool = False
    fingerprint_hash: str = "SHA256"
    version_addendum: str = ""
    """Text to send to the server after our version."""
    quiet: bool = False
    """Whether banners and notices are suppressed."""
    local_command: str = ""
    """The command to run here once connected; also empty if that is not permitted."""
    proxy_fdpass: bool = False
    """Whether the ProxyCommand hands over a connected socket, and exits."""
    tcp_keepalive: bool = True
    qos: int | None = None
    """The mark of packets; None for the system's default."""
    attempts: int = 1
    """Attempts to connect."""
    alive_interval: float = 0.0
    """Seconds of silence after which the server is asked for a sign of life; 0 for rdo's own default."""
    alive_count: int = 3
    """Signs of life that may fail to arrive in a row."""
    ignored: tuple[str, ...] = ()
    """Settings without effect in rdo, a line for each option."""
    copy_command: str = ""
    """The command that installs a key of the user's on the host."""
    refused: tuple[str, ...] = ()
    """Settings that forbid a connection, a line for each option."""

    forwards: ForwardSet = NO_FORWARDS
    """Forwards to hold while the target is connected."""

    @property
    def address(self) -> str:
        """`user@host`, with the port if it is not 22: the target's name for people."""
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != 22 else "")

    @property
    def known_as(self) -> str:
        """The name for this host in known_hosts files."""
        name = self.host_key_alias or self.hostname
        return name if self.port == 22 or self.host_key_alias else f"[{name}]:{self.port}"


OF_COMMANDS = ("host", "send_env", "set_env", "forwards")
"""Options that may differ between commands on the same connection."""

OF_MESSAGES = ("new_key_notice", "fingerprint_hash", "quiet", "ignored", "copy_command")
"""Options that only affect messages."""

OF_QUESTIONS = ("password_prompts", "batch", "add_keys_to_agent", "hash_known_hosts", "connect_timeout", "attempts")
"""Options that only matter during the login."""


def login_key(options: SshOptions) -> tuple[Hashable, ...]:
    """Equal for options by which the same user reaches the same host in the same way, and which so may share a
    connection.

    A forwarded agent makes a difference: sshd offers one to every session of a connection once any of them has asked
    for it.
    """
    # otherwise they are expanded by now
    names = options.tokens[:-1] if options.known_hosts_command or options.local_command else ()
    return (*names, *_of_login(options).values())


def login_details(options: SshOptions) -> Mapping[str, str]:
    """Those options of the key that can be shown, by their names."""
    of_login = _of_login(options).items()
    return {name.replace("_", " "): str(value) for name, value in of_login if isinstance(value, str | int | float)}


def _of_login(options: SshOptions) -> Mapping[str, Hashable]:
    left_out = {*OF_COMMANDS, *OF_MESSAGES, *OF_QUESTIONS, "tokens", "variables_read"}
    return {name: value for name, value in options._asdict().items() if name not in left_out}


def variables(options: SshOptions | None, caller: "Caller") -> Mapping[str, str]:
    """The variables that SendEnv and SetEnv ask the server to set. If both name one, SetEnv's value applies, as with
    ssh(1)."""
    if options is None or not options.send_env:  # the caller's environment is only examined if necessary
        return options.set_env if options else {}
    fits = _matcher(options.send_env)
    return {**{name: value for name, value in caller.environment.items() if fits(name)}, **options.set_env}


@lru_cache(maxsize=16)
def _matcher(patterns: tuple[str, ...]) -> Callable[[str], object]:
    """Whether a name matches one of the patterns, in which only `*` and `?` are special. Compiled, since each command
    needs it."""
    whole = "|".join(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in patterns)
    return re.compile(whole, re.DOTALL).fullmatch


def paths(text: str) -> tuple[str, ...]:
    """Split paths that `ssh -G` prints without quotes. After an absolute path, a word that cannot begin a path
    continues it, since a path may contain a blank. After a relative path it counts as another path, which is more
    frequent."""
    found: list[str] = []
    for word in text.split(" "):
        if found and found[-1].startswith(BEGINNINGS) and not word.startswith(BEGINNINGS):
            found[-1] += " " + word
        elif word:
            found.append(word)
    return tuple(found)
