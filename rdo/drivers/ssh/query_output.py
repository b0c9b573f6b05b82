"""Parses the output of `ssh -G` into SshOptions. Pure, except for the name of this machine; rdo.drivers.ssh.query gets
the lines."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from rdo.drivers.ssh import option_table, query_forwards
from rdo.drivers.ssh.algorithms import CIPHERS, HOST_KEYS, KEY_EXCHANGES, MACS, SIGNATURES, Algorithms, names
from rdo.drivers.ssh.options import SshOptions, paths
from rdo.drivers.ssh.query_request import SshQueryRequest, copy_command
from rdo.drivers.ssh.tokens import NotedVariables, Tokens

QOS_NAMES = {
    "lowdelay": 0x10,
    "throughput": 0x08,
    "reliability": 0x04,
    "ef": 0xB8,
    "va": 0xB0,
    "le": 0x04,
    **{f"cs{number}": number << 5 for number in range(8)},
    **{f"af{group}{drop}": group << 5 | drop << 3 for group in range(1, 5) for drop in range(1, 4)},
}
"""The values as in the header of an IP packet."""


def packet_mark(text: str) -> int | None:
    """The mark for `ssh -G`'s value: the first one, for interactive sessions, as one connection carries everything.

    None if the system should decide, or for what is not a mark.
    """
    name = text.split(" ")[0].lower()
    if name in QOS_NAMES:
        return QOS_NAMES[name]
    try:
        value = int(name, 0)
    except ValueError:
        return None
    return value if 0 <= value <= 0xFF else None


TRUE = ("yes", "true")
FALSE = ("no", "false")

RSA_BITS = 1024
"""The minimum size of RSA keys if none is set, as with ssh."""

QUIET = ("QUIET", "SILENT", "FATAL", "ERROR")
"""Log levels at which ssh shows neither banners nor notices; `ssh -G` prints SILENT for QUIET."""


def parse(
    request: SshQueryRequest, lines: Iterable[str], environment: Mapping[str, str], person: pwd.struct_passwd
) -> SshOptions:
    """The options in the lines of `ssh -G`. Pure, except for what `environment` and `person` say."""
    found = _by_name(lines)
    one = {key: values[0] for key, values in found.items() if values[0] != "none"}
    noted = NotedVariables(environment)
    tokens = _tokens(request, one, noted, person)
    agent = _agent(found.get("identityagent", ["SSH_AUTH_SOCK"])[0], tokens)
    own = [tokens.path(request.identity)] if request.identity else []
    known = SshOptions(
        host=request.host,
        hostname=tokens.hostname,
        port=tokens.port,
        user=tokens.user,
        host_key_alias=one.get("hostkeyalias", ""),
        identity="".join(own),
        identity_files=(*own, *_files(found, "identityfile", tokens)),
        certificate_files=_files(found, "certificatefile", tokens),
        identity_agent=agent,
        known_hosts=tuple(tokens.path(name) for name in paths(one.get("userknownhostsfile", ""))),
        global_known_hosts=tuple(tokens.path(name) for name in paths(one.get("globalknownhostsfile", ""))),
        strict_host_key_checking=_strict(one.get("stricthostkeychecking", "ask")),
        hash_known_hosts=one.get("hashknownhosts") in TRUE,
        connect_timeout=float(_number(one, "connecttimeout", 0)) or None,
        address_family=one.get("addressfamily", "any"),
        bind_address=one.get("bindaddress", ""),
        proxy_command=tokens.expand(one.get("proxycommand", "")),
        proxy_jump=one.get("proxyjump", ""),
        send_env=tuple(found.get("sendenv", ())),
        set_env=MappingProxyType(dict(text.partition("=")[::2] for text in found.get("setenv", ()))),
        forward_agent=_forwarded(one.get("forwardagent", "no"), agent, tokens),
        copy_command=copy_command(request),
        ignored=tuple(option_table.ignored(found)),
        refused=tuple(option_table.refused(found)),
        forwards=query_forwards.forwards(found),
    )
    checked = _with_checks(_with_line(_with_login(known, one), one), one, tokens)
    return checked._replace(variables_read=frozenset(noted.names))


def _files(found: Mapping[str, Sequence[str]], option: str, tokens: Tokens) -> tuple[str, ...]:
    """The paths of an option that may be set several times."""
    return tuple(tokens.path(name) for name in found.get(option, ()) if name != "none")


def _with_login(known: SshOptions, one: Mapping[str, str]) -> SshOptions:
    """Add the options about authentication."""
    return known._replace(
        methods=_methods(one),
        identities_only=one.get("identitiesonly") in TRUE,
        add_keys_to_agent=one.get("addkeystoagent", ""),
        password_prompts=_number(one, "numberofpasswordprompts", 3),
        host_bound=one.get("pubkeyauthentication", "yes") in (*TRUE, "host-bound"),
        devices=one.get("kbdinteractivedevices", ""),
        batch=one.get("batchmode") in TRUE,
    )


def _with_line(known: SshOptions, one: Mapping[str, str]) -> SshOptions:
    """Add the options about the connection itself."""
    return known._replace(
        algorithms=_algorithms(one),
        proxy_fdpass=one.get("proxyusefdpass") in TRUE,
        tcp_keepalive=one.get("tcpkeepalive") not in FALSE,
        version_addendum=one.get("versionaddendum", ""),
        qos=packet_mark(one.get("ipqos", "")),
        attempts=max(1, _number(one, "connectionattempts", 1)),
        alive_interval=float(_number(one, "serveraliveinterval", 0)),
        alive_count=_number(one, "serveralivecountmax", 3),
        quiet=one.get("loglevel", "").upper() in QUIET,
    )


def _with_checks(known: SshOptions, one: Mapping[str, str], tokens: Tokens) -> SshOptions:
    """Add the options about the host key, and about local commands."""
    permitted = one.get("permitlocalcommand") in TRUE
    return known._replace(
        revoked_host_keys=tuple(tokens.path(name) for name in paths(one.get("revokedhostkeys", ""))),
        known_hosts_command=one.get("knownhostscommand", ""),
        tokens=tokens,
        trusts_localhost=one.get("nohostauthenticationforlocalhost") in TRUE,
        check_host_ip=one.get("checkhostip") in TRUE,
        fingerprint_hash=one.get("fingerprinthash", "SHA256").upper(),
        local_command=tokens.expand(one.get("localcommand", "")) if permitted else "",
    )


def _by_name(lines: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        key, _, value = line.rstrip("\n").partition(" ")
        found.setdefault(key.lower(), []).append(value)
    return found


def _algorithms(one: Mapping[str, str]) -> Algorithms:
    return Algorithms(
        host_keys=names(one.get("hostkeyalgorithms"), HOST_KEYS),
        key_exchanges=names(one.get("kexalgorithms"), KEY_EXCHANGES),
        ciphers=names(one.get("ciphers"), CIPHERS),
        macs=names(one.get("macs"), MACS),
        public_keys=names(one.get("pubkeyacceptedalgorithms"), HOST_KEYS),
        ca_signatures=names(one.get("casignaturealgorithms"), SIGNATURES),
        compression=one.get("compression") in TRUE,
        rsa_bits=max(_number(one, "requiredrsasize", RSA_BITS), _number(one, "rsaminsize", 0)),
    )


def _number(one: Mapping[str, str], key: str, default: int) -> int:
    value = one.get(key, "")
    return int(value) if value.isascii() and value.isdecimal() else default


def _tokens(
    request: SshQueryRequest, one: Mapping[str, str], environment: Mapping[str, str], person: pwd.struct_passwd
) -> Tokens:
    hostname = one.get("hostname", request.host)
    return Tokens(
        original=request.host,
        hostname=hostname,
        port=_number(one, "port", 22),
        user=one.get("user", person.pw_name),
        alias=one.get("hostkeyalias", request.host),
        jump=one.get("proxyjump", ""),
        local_user=person.pw_name,
        local_host=os.uname().nodename,
        uid=person.pw_uid,
        home=person.pw_dir,
        environment=environment,
    )


def _agent(value: str, tokens: Tokens) -> str:
    if value == "none":
        return ""
    if value == "SSH_AUTH_SOCK":
        return tokens.absolute(tokens.environment.get("SSH_AUTH_SOCK", ""))
    if value.startswith("$") and not value.startswith("${"):
        return tokens.absolute(tokens.environment.get(value[1:], ""))
    return tokens.path(value)


def _forwarded(value: str, agent: str, tokens: Tokens) -> str:
    if value in FALSE:
        return ""
    return agent if value in TRUE else _agent(value, tokens)


def _strict(value: str) -> str:
    meaning = {"true": "yes", "false": "no", "off": "no"}.get(value, value)
    if meaning not in ("ask", "yes", "no", "accept-new"):
        raise ValueError(f"StrictHostKeyChecking cannot be `{value}`")
    return meaning


def _methods(one: Mapping[str, str]) -> tuple[str, ...]:
    preferred = one.get("preferredauthentications", "publickey,keyboard-interactive,password").split(",")
    switches = {
        "publickey": "pubkeyauthentication",
        "keyboard-interactive": "kbdinteractiveauthentication",
        "password": "passwordauthentication",
    }
    batch = one.get("batchmode") in TRUE  # ssh asks nothing then
    allowed = ["publickey"] if batch else list(switches)
    return tuple(name for name in preferred if name in allowed and one.get(switches[name]) not in FALSE)
