"""The user's own OpenSSH configuration for one host: what `ssh -G` prints, as frozen values.

Pure; how the lines are had is rdo.drivers.ssh_query's business.
"""

from __future__ import annotations

import pwd
import socket
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import NamedTuple

from rdo.drivers.tokens import Tokens

TRUE = ("yes", "true")


class Request(NamedTuple):
    """What rdo's own configuration says about a host; the rest is up to the user's ssh configuration."""

    host: str
    user: str | None = None
    port: int | None = None
    identity: str | None = None
    jump: str | None = None
    ssh_config: str | None = None


class Options(NamedTuple):
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

    @property
    def address(self) -> str:
        """`user@host`, and the port where it is not 22: the target's name for people."""
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != 22 else "")

    @property
    def known_as(self) -> str:
        """The name that known_hosts files have for this host."""
        name = self.host_key_alias or self.hostname
        return name if self.port == 22 or self.host_key_alias else f"[{name}]:{self.port}"


def variables(options: Options, environment: Mapping[str, str]) -> dict[str, str]:
    """What SendEnv and SetEnv give to commands; of a name in both, SetEnv's value counts, as with ssh(1)."""
    sent = {name: value for name, value in environment.items() if any(fnmatchcase(name, p) for p in options.send_env)}
    return {**sent, **options.set_env}


def parse(request: Request, lines: Iterable[str], environment: Mapping[str, str], person: pwd.struct_passwd) -> Options:
    """The options in the lines of `ssh -G`. Pure, but for what `environment` and `person` say."""
    found: dict[str, list[str]] = {}
    for line in lines:
        key, _, value = line.rstrip("\n").partition(" ")
        found.setdefault(key.lower(), []).append(value)
    one = {key: values[0] for key, values in found.items() if values[0] != "none"}
    tokens = _tokens(request, one, environment, person)
    agent = _agent(found.get("identityagent", ["SSH_AUTH_SOCK"])[0], tokens)
    user_files = [tokens.path(name) for name in found.get("identityfile", ()) if name != "none"]
    return Options(
        host=request.host,
        hostname=tokens.hostname,
        port=tokens.port,
        user=tokens.user,
        host_key_alias=one.get("hostkeyalias", ""),
        identity=tokens.path(request.identity) if request.identity else "",
        identity_files=(*([tokens.path(request.identity)] if request.identity else []), *user_files),
        certificate_files=tuple(tokens.path(name) for name in found.get("certificatefile", ()) if name != "none"),
        identities_only=one.get("identitiesonly") in TRUE,
        identity_agent=agent,
        known_hosts=tuple(tokens.path(name) for name in paths(one.get("userknownhostsfile", ""))),
        global_known_hosts=tuple(tokens.path(name) for name in paths(one.get("globalknownhostsfile", ""))),
        strict_host_key_checking=_strict(one.get("stricthostkeychecking", "ask")),
        hash_known_hosts=one.get("hashknownhosts") in TRUE,
        connect_timeout=float(one["connecttimeout"]) if one.get("connecttimeout", "").isdecimal() else None,
        address_family=one.get("addressfamily", "any"),
        bind_address=one.get("bindaddress", ""),
        proxy_command=tokens.expand(one.get("proxycommand", "")),
        proxy_jump=one.get("proxyjump", ""),
        send_env=tuple(found.get("sendenv", ())),
        set_env=MappingProxyType(dict(_assignment(text) for text in found.get("setenv", ()))),
        forward_agent=_forwarded(one.get("forwardagent", "no"), agent, tokens),
        methods=_methods(one),
        password_prompts=int(one.get("numberofpasswordprompts", "3")),
    )


def jump_request(jumps: str, ssh_config: str | None) -> Request:
    """The last of comma-separated jump hosts, reached through those before it. Each is [user@]host[:port]."""
    before, _, last = jumps.rpartition(",")
    user, _, place = last.removeprefix("ssh://").rstrip("/").rpartition("@")
    host, port = place, ""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        port = rest.removeprefix(":")
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    return Request(host, user or None, int(port) if port.isdecimal() else None, None, before or None, ssh_config)


def paths(text: str) -> tuple[str, ...]:
    """Split paths that `ssh -G` prints without quotes: a word that does not start a path continues the one before."""
    found: list[str] = []
    for word in text.split(" "):
        if found and not word.startswith(("/", "~")):
            found[-1] += " " + word
        elif word:
            found.append(word)
    return tuple(found)


def _tokens(
    request: Request, one: Mapping[str, str], environment: Mapping[str, str], person: pwd.struct_passwd
) -> Tokens:
    hostname = one.get("hostname", request.host)
    return Tokens(
        original=request.host,
        hostname=hostname,
        port=int(one.get("port", 22)),
        user=one.get("user", person.pw_name),
        alias=one.get("hostkeyalias", hostname),
        jump=one.get("proxyjump", ""),
        local_user=person.pw_name,
        local_host=socket.gethostname(),
        uid=person.pw_uid,
        home=person.pw_dir,
        environment=environment,
    )


def _agent(value: str, tokens: Tokens) -> str:
    if value == "none":
        return ""
    if value == "SSH_AUTH_SOCK":
        return tokens.environment.get("SSH_AUTH_SOCK", "")
    if value.startswith("$") and not value.startswith("${"):
        return tokens.environment.get(value[1:], "")
    return tokens.path(value)


def _forwarded(value: str, agent: str, tokens: Tokens) -> str:
    if value in ("no", "false"):
        return ""
    return agent if value in TRUE else _agent(value, tokens)


def _strict(value: str) -> str:
    return {"true": "yes", "false": "no", "off": "no"}.get(value, value)


def _assignment(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _methods(one: Mapping[str, str]) -> tuple[str, ...]:
    preferred = one.get("preferredauthentications", "publickey,keyboard-interactive,password").split(",")
    switches = {
        "publickey": "pubkeyauthentication",
        "keyboard-interactive": "kbdinteractiveauthentication",
        "password": "passwordauthentication",
    }
    batch = one.get("batchmode") in TRUE  # ssh asks nothing then
    allowed = ["publickey"] if batch else list(switches)
    off = ("no", "false")
    return tuple(name for name in preferred if name in allowed and one.get(switches[name]) not in off)
