"""How rdo treats each option that `ssh -G` prints: one table, from which docs/ssh-options.md is generated. Pure.

No option is dropped silently: it is honoured, or named as ignored, or the connection is refused if ignoring the option
would mean trusting more than the user allows.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple


class Treatment(Enum):
    """How an option is treated."""

    HONOURED = "honoured"
    IGNORED = "ignored, and named"
    REFUSED = "refused"


class Rule(NamedTuple):
    """An option by its name in ssh_config(5)."""

    name: str
    treatment: Treatment
    what: str = ""
    """What rdo does, or does not do."""
    silent: tuple[str, ...] = ()
    """Values that ask for nothing, and so are not reported; `*` for any, if the option only refines another one."""

    def is_silent(self, value: str) -> bool:
        """Whether this value need not be reported."""
        return "*" in self.silent or value in self.silent


HONOURED, IGNORED, REFUSED = Treatment.HONOURED, Treatment.IGNORED, Treatment.REFUSED
BY_SSH = "`ssh -G` applies it before rdo sees the result"
OFF = ("no", "false", "none", "")
HELD = "while the target is connected; see docs/ports.md"
KERBEROS = "rdo does not use Kerberos"
X11 = "rdo does not forward X11"

TABLE = (
    Rule("Host", HONOURED, "the name as it was typed"),
    Rule("User", HONOURED),
    Rule("HostName", HONOURED),
    Rule("Port", HONOURED),
    Rule("AddKeysToAgent", HONOURED, "once the server has accepted the key"),
    Rule("AddressFamily", HONOURED),
    Rule("BatchMode", HONOURED, "nothing is asked"),
    Rule("BindAddress", HONOURED),
    Rule("BindInterface", REFUSED, "rdo cannot choose an interface: set BindAddress"),
    Rule("CanonicalDomains", HONOURED, BY_SSH),
    Rule("CanonicalizeFallbackLocal", HONOURED, BY_SSH),
    Rule("CanonicalizeHostname", HONOURED, BY_SSH),
    Rule("CanonicalizeMaxDots", HONOURED, BY_SSH),
    Rule("CanonicalizePermittedCNAMEs", HONOURED, BY_SSH),
    Rule("CASignatureAlgorithms", HONOURED, "for certificates of hosts"),
    Rule("CertificateFile", HONOURED),
    Rule("ChannelTimeout", IGNORED, "rdo does not close idle channels", OFF),
    Rule("CheckHostIP", HONOURED),
    Rule("Ciphers", HONOURED, "if rdo supports them: AES-GCM, AES-CTR, AES-CBC"),
    Rule("ClearAllForwardings", HONOURED, BY_SSH),
    Rule("Compression", HONOURED, "once the login is over (zlib@openssh.com)"),
    Rule("ConnectionAttempts", HONOURED),
    Rule("ConnectTimeout", HONOURED),
    Rule("ControlMaster", IGNORED, "rdo holds connections of its own", OFF),
    Rule("ControlPath", IGNORED, "rdo holds connections of its own", OFF),
    Rule("ControlPersist", IGNORED, "rdo holds connections of its own: see `idle_timeout`", OFF),
    Rule("DynamicForward", HONOURED, HELD),
    Rule("EnableEscapeCommandline", IGNORED, "rdo has no escape character", OFF),
    Rule("EnableSSHKeysign", IGNORED, "rdo does not support host-based authentication", OFF),
    Rule("EscapeChar", IGNORED, "rdo has no escape character", (*OFF, "~")),
    Rule("ExitOnForwardFailure", HONOURED, "if a forward fails, no command is started"),
    Rule("FingerprintHash", HONOURED),
    Rule("ForkAfterAuthentication", IGNORED, "a command runs in the foreground: `rdo ... &`", OFF),
    Rule("ForwardAgent", HONOURED),
    Rule("ForwardX11", IGNORED, X11, OFF),
    Rule("ForwardX11Timeout", IGNORED, X11, ("*",)),
    Rule("ForwardX11Trusted", IGNORED, X11, ("*",)),
    Rule("GatewayPorts", HONOURED),
    Rule("GlobalKnownHostsFile", HONOURED),
    Rule("GSSAPIAuthentication", IGNORED, KERBEROS, OFF),
    Rule("GSSAPIClientIdentity", IGNORED, KERBEROS, ("*",)),
    Rule("GSSAPIDelegateCredentials", IGNORED, KERBEROS, OFF),
    Rule("GSSAPIKexAlgorithms", IGNORED, KERBEROS, ("*",)),
    Rule("GSSAPIKeyExchange", IGNORED, KERBEROS, OFF),
    Rule("GSSAPIRenewalForcesRekey", IGNORED, KERBEROS, OFF),
    Rule("GSSAPIServerIdentity", IGNORED, KERBEROS, ("*",)),
    Rule("GSSAPITrustDNS", IGNORED, KERBEROS, OFF),
    Rule("HashKnownHosts", HONOURED),
    Rule("HostbasedAcceptedAlgorithms", IGNORED, "rdo does not support host-based authentication", ("*",)),
    Rule("HostbasedAuthentication", IGNORED, "rdo does not support host-based authentication", OFF),
    Rule("HostKeyAlgorithms", HONOURED, "with `ssh-rsa` (SHA-1) if it is named; no sk- host keys"),
    Rule("HostKeyAlias", HONOURED),
    Rule("IdentitiesOnly", HONOURED),
    Rule("IdentityAgent", HONOURED),
    Rule("IdentityFile", HONOURED, "a private key; or a public one or a certificate whose private key the agent holds"),
    Rule("IgnoreUnknown", HONOURED, BY_SSH),
    Rule("IPQoS", HONOURED, "the first value, because one connection carries everything"),
    Rule("KbdInteractiveAuthentication", HONOURED),
    Rule("KbdInteractiveDevices", HONOURED),
    Rule("KexAlgorithms", HONOURED, "if rdo supports them: mlkem768x25519, curve25519, ecdh-sha2, diffie-hellman"),
    Rule("KnownHostsCommand", HONOURED),
    Rule("LocalCommand", HONOURED, "if PermitLocalCommand allows it; once for each connection"),
    Rule("LocalForward", HONOURED, HELD),
    Rule("LogLevel", HONOURED, "QUIET, FATAL and ERROR silence the banner and notices; for more, `rdo -v`"),
    Rule("LogVerbose", IGNORED, "rdo writes no such messages", OFF),
    Rule("MACs", HONOURED, "if rdo supports them: HMAC with SHA-2, SHA-1 or MD5; AES-GCM needs none"),
    Rule("NoHostAuthenticationForLocalhost", HONOURED),
    Rule("NumberOfPasswordPrompts", HONOURED),
    Rule("ObscureKeystrokeTiming", IGNORED, "the timing of keystrokes can be seen on the network", (*OFF, "0")),
    Rule("PasswordAuthentication", HONOURED),
    Rule("PermitLocalCommand", HONOURED),
    Rule("PermitRemoteOpen", HONOURED),
    Rule("PKCS11Provider", IGNORED, "rdo loads no provider; `ssh-add -s` has the agent load it", OFF),
    Rule("PreferredAuthentications", HONOURED),
    Rule("ProxyCommand", HONOURED),
    Rule("ProxyJump", HONOURED),
    Rule("ProxyUseFdpass", HONOURED),
    Rule("PubkeyAcceptedAlgorithms", HONOURED),
    Rule("PubkeyAuthentication", HONOURED),
    Rule("RefuseConnection", HONOURED, BY_SSH),
    Rule("RekeyLimit", IGNORED, "the server decides when keys are renewed", ("0 0",)),
    Rule("RemoteCommand", IGNORED, "rdo runs the command that it is given", OFF),
    Rule("RemoteForward", HONOURED, HELD),
    Rule("RequestTTY", IGNORED, "commands typed on a terminal get one: see `-t` and `-T`", ("auto",)),
    Rule("RequiredRSASize", HONOURED),
    Rule("RevokedHostKeys", HONOURED, "lists of keys, and KRLs; a file that cannot be used is an error"),
    Rule("RSAMinSize", HONOURED, "as RequiredRSASize: its name in some distributions"),
    Rule("SecurityKeyProvider", IGNORED, "rdo does not use security keys itself; the agent does", (*OFF, "internal")),
    Rule("SendEnv", HONOURED, "the server decides (AcceptEnv)"),
    Rule("ServerAliveCountMax", HONOURED, "with ServerAliveInterval"),
    Rule("ServerAliveInterval", HONOURED, "without it, rdo asks while commands run, and gives up after 20 s"),
    Rule("SessionType", IGNORED, "rdo runs commands", ("default",)),
    Rule("SetEnv", HONOURED, "the server decides (AcceptEnv)"),
    Rule("StdinNull", IGNORED, "see `-n`", OFF),
    Rule("StreamLocalBindMask", HONOURED),
    Rule("StreamLocalBindUnlink", HONOURED),
    Rule("StrictHostKeyChecking", HONOURED, "but a key that has changed is always refused"),
    Rule("SyslogFacility", IGNORED, "rdo does not write to the system's log", ("*",)),
    Rule("Tag", HONOURED, BY_SSH),
    Rule("TCPKeepAlive", HONOURED),
    Rule("Tunnel", IGNORED, "rdo does not create tunnel devices", OFF),
    Rule("TunnelDevice", IGNORED, "rdo does not create tunnel devices", ("*",)),
    Rule("UpdateHostKeys", IGNORED, "rdo does not learn further host keys from a server", OFF),
    Rule("UserKnownHostsFile", HONOURED),
    Rule("VerifyHostKeyDNS", IGNORED, "rdo looks only in known_hosts", OFF),
    Rule("VersionAddendum", HONOURED),
    Rule("VisualHostKey", IGNORED, "rdo shows the fingerprint", OFF),
    Rule("WarnWeakCrypto", IGNORED, "rdo does not warn", OFF),
    Rule("XAuthLocation", IGNORED, X11, ("*",)),
)
"""In the order of ssh_config(5)."""

RULES: Mapping[str, Rule] = {rule.name.lower(): rule for rule in TABLE}

Found = Mapping[str, Sequence[str]]
"""Options by their names in lower case, each with its values in order."""


def ignored(found: Found) -> Iterator[str]:
    """A line for each option that asks for something rdo does not do, and for each unknown one."""
    for key, values in found.items():
        rule = RULES.get(key)
        if rule is None:
            yield f"{key} {values[0]}: rdo does not know this option of ssh"
        elif rule.treatment is IGNORED and not rule.is_silent(values[0]):
            yield f"{rule.name} {values[0]}: {rule.what}"


def refused(found: Found) -> Iterator[str]:
    """A line for each option that rdo cannot follow, and without which it must not connect."""
    for key, values in found.items():
        rule = RULES.get(key)
        if rule is not None and rule.treatment is REFUSED and values[0] not in OFF:
            yield f"{rule.name} {values[0]}: {rule.what}"


def rows() -> list[str]:
    """The table's rows in Markdown."""
    return [f"| {rule.name} | {rule.treatment.value} | {rule.what} |" for rule in TABLE]
