"""Invalid behaviour of an SSH server, each with words of the single line that it should result in."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

from paramiko import common
from paramiko.message import Message

from tests.odd_server import WINDOW, Answer, Raw, Talk, packet, text, uint32

HELLO = b"SSH-2.0-odd\r\n"
HUGE = 2**32 - 1
LATIN = b"f\xfcr Unbefugte \x1b[2J"
MEMORY = 48 << 20
"""Bytes by which one server may increase our memory: a few of what is allowed, and the server's part in the same
process.
"""
LONGEST_LINE = 1000

REQUEST = common.MSG_CHANNEL_REQUEST
FLOOD = "too much data before the login|without waiting for a reply|login timed out|did not finish"
GLOBAL = text(b"hostkeys-00@openssh.com") + b"\1"
FORWARDED = text(b"forwarded-tcpip") + uint32(1, 2, 3) + text(b"localhost") + uint32(22) + text(b"::1") + uint32(9)
FAILURE = text(b"publickey,keyboard-interactive") + b"\0"
PARTIAL = text(b"keyboard-interactive") + b"\1"


class Oddity(NamedTuple):
    """`expected`: words of the line, or the status and the output if it works."""

    name: str
    expected: str | tuple[int, bytes]
    raw: Raw | None = None
    answers: dict[int, Answer] = {}  # noqa: RUF012  (never changed)
    preferred: dict[str, tuple[str, ...]] = {}  # noqa: RUF012


WORKS = (3, b"hello\n")


def raw(name: str, expected: str, *pieces: bytes, again: bytes = b"") -> Oddity:
    """Sends the pieces, or `again` for ever, and then waits for the client to hang up."""

    def act(connection: socket.socket) -> None:
        connection.settimeout(20.0)
        for piece in pieces:
            connection.sendall(piece)
        while again:
            connection.sendall(again)
        while connection.recv(4096):
            pass

    return Oddity(name, expected, act)


def kex(name: str, expected: str, *messages: bytes, again: bytes = b"") -> Oddity:
    """Sends messages when the key exchange should begin."""
    return raw(name, expected, HELLO + b"".join(map(packet, messages)), again=packet(again) if again else b"")


def lists(kex: bytes, keys: bytes = b"ssh-ed25519") -> bytes:
    """A KEXINIT message."""
    rest = text(b"aes128-ctr") * 2 + text(b"hmac-sha2-256") * 2 + text(b"none") * 2 + text(b"") * 2 + bytes(5)
    return bytes([common.MSG_KEXINIT]) + bytes(16) + text(kex) + text(keys) + rest


def on(kind: int, name: str, expected: str | tuple[int, bytes], act: Callable[[Talk], object]) -> Oddity:
    """Reacts differently when the client sends a message of that kind."""
    return Oddity(name, expected, answers={kind: lambda talk, message: act(talk)})


def login(name: str, expected: str | tuple[int, bytes], act: Callable[[Talk], object]) -> Oddity:
    """Answers the first request of the login."""
    return on(common.MSG_USERAUTH_REQUEST, name, expected, act)


def login_says(name: str, expected: str | tuple[int, bytes], kind: int, body: bytes = b"") -> Oddity:
    """Answers each request of the login with one message."""
    return login(name, expected, lambda talk: talk.say(kind, body))


def before_login(name: str, expected: str | tuple[int, bytes], kind: int, body: bytes, times: int | None) -> Oddity:
    """Sends a message again and again, and then accepts the login."""
    return login(name, expected, lambda talk: (talk.flood(kind, body, times), talk.let_in(None)))  # type: ignore[arg-type]


def opens(name: str, expected: str | tuple[int, bytes], act: Callable[[Talk], object]) -> Oddity:
    """Records the client's number of the channel, and reacts in another way than opening it."""

    def answer(talk: Talk, message: object) -> None:
        message.get_string()  # type: ignore[attr-defined]
        talk.theirs = message.get_int()  # type: ignore[attr-defined]
        act(talk)

    return Oddity(name, expected, answers={common.MSG_CHANNEL_OPEN: answer})


def runs(name: str, expected: str | tuple[int, bytes], *acts: Callable[[Talk], object]) -> Oddity:
    """Does something before a command ends normally."""

    def act(talk: Talk) -> None:
        for each in acts:
            each(talk)
        talk.end_well()

    return on(REQUEST, name, expected, act)


def runs_and_says(name: str, expected: str | tuple[int, bytes], kind: int, body: bytes = b"", times: int = 1) -> Oddity:
    """Sends a message for the channel before a command ends normally."""
    return runs(name, expected, lambda talk: [talk.say_on(kind, body) for _ in range(times)])


def ask(count: int, *prompts: bytes) -> bytes:
    return text(LATIN) + text(b"") + text(b"") + uint32(count) + b"".join(text(each) + b"\1" for each in prompts)


INFO = common.MSG_USERAUTH_INFO_REQUEST
QUESTIONS: dict[int, Answer] = {
    common.MSG_USERAUTH_REQUEST: lambda talk, message: talk.say(
        INFO if b"keyboard-interactive" in message.asbytes() else common.MSG_USERAUTH_FAILURE,
        ask(0) if b"keyboard-interactive" in message.asbytes() else FAILURE,
    ),
    common.MSG_USERAUTH_INFO_RESPONSE: lambda talk, message: talk.say(INFO, ask(0)),
}


def asked(name: str, expected: str, body: bytes) -> Oddity:
    """Answers keyboard-interactive with this."""
    first = QUESTIONS[common.MSG_USERAUTH_REQUEST]

    def answer(talk: Talk, message: Message) -> None:
        if b"keyboard-interactive" in message.asbytes():
            talk.say(INFO, body)
        else:
            first(talk, message)

    return Oddity(name, expected, answers={common.MSG_USERAUTH_REQUEST: answer})


def never_rekeys(talk: Talk) -> None:
    """Starts a key exchange, and then only sends keepalives."""
    talk._send_kex_init()
    talk._handler_table[common.MSG_KEXINIT] = lambda message: talk.flood(common.MSG_IGNORE, text(bytes(1000)))


AGENT = text(b"auth-agent@openssh.com") + uint32(1, 2, 3)
PIECE = text(bytes(32_000))
DATA, EXTENDED = common.MSG_CHANNEL_DATA, common.MSG_CHANNEL_EXTENDED_DATA

ODDITIES = [
    raw("silence", "sent no banner within"),
    Oddity("hangs up", "closed the connection without sending a banner", socket.socket.close),
    raw("a web server", "this instead of an SSH version: `HTTP/1.1 400", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 2000),
    raw("a line without end", "this instead of an SSH version", again=b"x" * 65536),
    raw("lines without end", "this instead of an SSH version", again=b"x\r\n" * 1000),
    raw("a line that drives the terminal", r"SSH version: `\\x1b\[2J", b"\x1b[2Jhello\n" * 2000),
    raw("SSH 1.5", "uses SSH 1.5", b"SSH-1.5-old\r\n"),
    raw("a version without parts", "cannot reach", b"SSH-\r\n"),
    raw("a version and silence", "did not finish the key exchange in time", HELLO),
    raw("a version of latin-1 and silence", "did not finish", b"SSH-2.0-f\xfcr\r\n"),
    raw("bytes without sense", "a packet of", HELLO + b"\x00\xff\xff\xff" * 100),
    raw("a packet of nothing", "a packet of", HELLO + bytes(64)),
    raw("a packet of four gigabytes", "a packet of 4294967295 bytes", HELLO + b"\xff" * 64),
    kex("a key exchange that is cut off", "truncated", bytes([common.MSG_KEXINIT]) + bytes(10)),
    kex("name-lists of four gigabytes", "truncated", bytes([common.MSG_KEXINIT]) + bytes(16) + uint32(HUGE)),
    kex("a kex method alone", "key exchange methods: sntrup761x25519-sha512", lists(b"sntrup761x25519-sha512")),
    kex("20,000 methods", "and 19994 more", lists(b",".join(b"m%d" % each for each in range(20_000)))),
    kex("host keys alone", "host key algorithms: ssh-dss; rdo", lists(b"ecdh-sha2-nistp256", b"ssh-dss")),
    kex("a key exchange and silence", "did not finish", lists(b"ecdh-sha2-nistp256")),
    kex("a key exchange without keys", "message", lists(b"ecdh-sha2-nistp256"), bytes([31]) + text(b"") * 3),
    kex("the key exchange twice", "during a key exchange", *[lists(b"ecdh-sha2-nistp256")] * 2),
    kex("new keys for nothing", "message 21 during a key", bytes([common.MSG_NEWKEYS])),
    kex("a message of later", "message 52 during a key", bytes([common.MSG_USERAUTH_SUCCESS])),
    kex("an unknown message", "message 192 during a key", b"\xc0"),
    kex("a disconnection of latin-1", r"f\\xfcr Unbefugte \\x1b\[2J", b"\1" + uint32(2) + text(LATIN) + text(b"")),
    kex("a disconnection without a word", "disconnected with code 2", b"\1" + uint32(2) + text(b"") + text(b"")),
    kex("a disconnection of 200 KB", "\\.\\.\\.", b"\1" + uint32(2) + text(b"\x1b" * 200_000)),
    kex("a disconnection that is cut off", "truncated", b"\1" + uint32(2, HUGE)),
    kex("nothing to do", FLOOD, again=bytes([common.MSG_IGNORE]) + text(b"")),
    Oddity("ciphers alone", "ciphers: 3des-cbc;", preferred={"ciphers": ("3des-cbc",)}),
    login_says("a login that is cut off", "truncated", common.MSG_USERAUTH_FAILURE, uint32(HUGE)),
    login_says("methods of latin-1", r"f\\xfcr", common.MSG_USERAUTH_FAILURE, text(LATIN) + b"\0"),
    login_says("no method", "authentication failed", common.MSG_USERAUTH_FAILURE, text(b",,,") + b"\0"),
    login_says("a disconnection in the login", r"f\\xfcr", common.MSG_DISCONNECT, uint32(2) + text(LATIN)),
    login_says("silence in the login", "login timed out", common.MSG_IGNORE, text(b"")),
    login_says("success for steps that never end", "authentication failed", common.MSG_USERAUTH_FAILURE, PARTIAL),
    login_says("a channel in the login", "channel that does not exist", DATA, uint32(0) + text(b"x")),
    login("banners without end", FLOOD, lambda talk: talk.flood(53, text(LATIN * 1000))),
    login("banners of nothing without end", FLOOD, lambda talk: talk.flood(53, text(b"") * 2)),
    login("banners between silence", "login timed out", lambda talk: talk.flood(53, text(b"wait\n") * 2, 3)),
    login("a banner that is cut off", "truncated", lambda talk: talk.say(53, uint32(HUGE))),
    asked("four billion questions", "4294967295 questions", ask(HUGE)),
    asked("a thousand questions", "1000 questions", ask(1000, *[b"?"] * 1000)),
    asked("questions that are cut off", "truncated", ask(2, b"Code: ")),
    Oddity("rounds of no question", "authentication failed for .*: it asked more than 32 times", answers=QUESTIONS),
    before_login("a banner of latin-1", WORKS, 53, text(LATIN) + text(b""), 1),
    before_login("a success that comes twice", WORKS, common.MSG_USERAUTH_SUCCESS, b"", 1),
    before_login("extensions of four billion", "announced 4294967295 extensions", 7, uint32(HUGE), 1),
    before_login("extensions that are cut off", "truncated", 7, uint32(3) + text(b"server-sig-algs"), 1),
    before_login("extensions of latin-1", WORKS, 7, uint32(2) + text(LATIN) * 4, 1),
    before_login("an unknown message in the login", WORKS, 192, b"what", 1),
    before_login("a channel before the login", WORKS, 90, AGENT, 9),
    before_login("requests before the login", FLOOD, common.MSG_GLOBAL_REQUEST, GLOBAL, None),
    before_login("debugging before the login", FLOOD, 4, b"\1" + text(LATIN) * 2, None),
    opens("output before the channel", "not open", lambda talk: talk.say_on(DATA, text(b"x"))),
    opens("a channel that opens twice", "is open", lambda talk: (talk.confirm(), talk.confirm())),
    opens("a channel for messages of nothing", "messages of 0 bytes", lambda talk: talk.confirm(packet=0)),
    opens("a channel that is cut off", "truncated", lambda talk: talk.say_on(91, uint32(5))),
    opens("a refusal of latin-1", r"f\\xfcr", lambda talk: talk.say_on(92, uint32(2) + text(LATIN * 999) + text(b""))),
    opens("a refusal that is cut off", "truncated", lambda talk: talk.say_on(92, uint32(2, HUGE))),
    opens("another channel", "message 91 for a channel", lambda talk: talk.say(91, uint32(77, 5, WINDOW, 99))),
    on(REQUEST, "a command that is refused", "refused to run a command", lambda talk: talk.say_on(100)),
    on(REQUEST, "a close without a status", "no exit status", lambda talk: talk.say_on(common.MSG_CHANNEL_CLOSE)),
    on(REQUEST, "success for what was not asked", WORKS, lambda talk: [talk.say_on(99), talk.end_well()]),
    on(REQUEST, "an end that comes twice", WORKS, lambda talk: (talk.end_well(), talk.end_well())),
    on(REQUEST, "a status of four billion", (255, b"hello\n"), lambda talk: talk.end_well(status=HUGE)),
    runs("a failure after all", "refused to run", lambda talk: [talk.say_on(100) for _ in range(5)]),
    runs("output after its end", (3, b""), lambda talk: talk.say_on(common.MSG_CHANNEL_EOF)),
    runs_and_says("output that ignores the window", "more output than allowed", DATA, PIECE, 20_000),
    runs_and_says("errors that ignore the window", "more output than allowed", EXTENDED, uint32(1) + PIECE, 20_000),
    runs_and_says("streams that do not exist", "more output than allowed", EXTENDED, uint32(9) + PIECE, 20_000),
    runs_and_says("output that is cut off", "truncated", DATA, uint32(1000) + b"x"),
    runs_and_says("output of nothing", WORKS, DATA, text(b""), 1000),
    runs_and_says("errors that are cut off", "truncated", EXTENDED, uint32(1, HUGE)),
    runs_and_says("a status that is cut off", "truncated", REQUEST, text(b"exit-status") + b"\0"),
    runs_and_says("a request that is cut off", "truncated", REQUEST, text(b"exit-status")),
    runs_and_says("a signal of latin-1", (128, b"hello\n"), REQUEST, text(b"exit-signal") + b"\0" + text(LATIN) * 3),
    runs_and_says("requests that want answers", WORKS, REQUEST, text(LATIN) + b"\1", 1000),
    runs_and_says("a window beyond all bounds", "more input than", common.MSG_CHANNEL_WINDOW_ADJUST, uint32(HUGE)),
    runs("output for another channel", "channel that does not exist", lambda talk: talk.say(DATA, uint32(77, 0))),
    runs("channels that nobody asked for", WORKS, lambda talk: talk.flood(90, text(b"x11") + uint32(1, 2, 3), 2000)),
    runs("connections to ports that nobody asked for", WORKS, lambda talk: talk.flood(90, FORWARDED, 2000)),
    runs("answers that nobody asked for", WORKS, lambda talk: [talk.flood(kind, b"", 500) for kind in (81, 82, 3)]),
    runs("a word of debugging, cut off", "truncated", lambda talk: talk.say(common.MSG_DEBUG, b"\0" + uint32(9))),
    runs("a channel for our agent", WORKS, lambda talk: talk.flood(90, AGENT, 99)),
    runs("a channel request that is cut off", "truncated", lambda talk: talk.say(90, text(b"x11"))),
    runs("requests without end", WORKS, lambda talk: talk.flood(common.MSG_GLOBAL_REQUEST, GLOBAL, 2000)),
    runs("a request of latin-1", WORKS, lambda talk: talk.say(common.MSG_GLOBAL_REQUEST, text(LATIN) + b"\1")),
    runs("login messages after it", WORKS, lambda talk: [talk.flood(kind, b"", 500) for kind in (51, 52, 53)]),
    runs("unknown messages", WORKS, lambda talk: [talk.say(kind, b"what") for kind in (8, 43, 60, 79, 110, 192, 255)]),
    runs("new keys during a key", WORKS, lambda talk: (talk.say(21), talk.say(21))),
    on(REQUEST, "keys that are never changed", "did not finish", never_rekeys),
]  # fmt: skip
