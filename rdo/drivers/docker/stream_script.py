"""The script that connects to a server in a container, and the decoding of its output. Pure, except for one of rdo's
own files."""

from __future__ import annotations

import shlex

from rdo.config.forwards import Endpoint
from rdo.fscodec import fsencode
from rdo.remote_sh import template

# If there are several addresses, the error of the first is shown, since unreachable ones come last.

_PYTHON = """
import os, socket, sys, _thread
path, host, port, nonce = sys.argv[1:]
def read(size):
    data = os.read(0, size)
    if not data:
        os._exit(0)
    return data
def fail(error):
    os.write(2, (str(error.strerror or error) + nonce + "1").encode())
def up():
    goes_on = True
    while True:
        head = b""
        while len(head) < 4:
            head += read(4 - len(head))
        left = int.from_bytes(head, "big")
        try:
            if not left and goes_on:
                s.shutdown(socket.SHUT_WR)
            while left:
                data = read(min(left, 65536))
                left -= len(data)
                if goes_on:
                    s.sendall(data)
        except OSError as error:
            fail(error)
            goes_on = False
            while left:
                left -= len(read(min(left, 65536)))
def connect():
    errors = []
    for family, kind, _, _, address in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM):
        try:
            s = socket.socket(family, kind)
            s.connect(address)
            return s
        except OSError as error:
            errors.append(error)
    raise errors[0]
def write(data):
    while data:
        data = data[os.write(1, data):]
def down():
    try:
        while True:
            data = s.recv(65536)
            write(len(data).to_bytes(4, "big") + data)
            if not data:
                break
    except OSError as error:
        fail(error)
try:
    if path:
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
    else:
        s = connect()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    write(b"F")
    _thread.start_new_thread(down, ())
    up()
except OSError as error:
    fail(error)
"""

_PERL = """
use strict;
my ($path, $host, $port, $nonce) = @ARGV;
my ($s, @errors);
if ($path) {
    require IO::Socket::UNIX;
    $s = IO::Socket::UNIX->new($path) or @errors = "$!";
} else {
    require IO::Socket::IP;
    my ($error, @found) = Socket::getaddrinfo($host, $port, { socktype => Socket::SOCK_STREAM() });
    @errors = "$error" if $error;
    for my $address (@found) {
        $s = IO::Socket::IP->new(PeerAddrInfo => [$address]) and last;
        push @errors, "$!";
    }
}
if (!$s) { print STDERR $errors[0] . $nonce . "1"; exit }
$SIG{PIPE} = "IGNORE";
sub put {
    my ($to, $data) = @_;
    my $done = 0;
    while ($done < length $data) {
        my $more = syswrite($to, $data, length($data) - $done, $done);
        return 0 if !defined $more;
        $done += $more;
    }
    return 1;
}
my $reader = fork;
if (!$reader) {
    my $data;
    put(*STDOUT, "F");
    while (my $size = sysread($s, $data, 65536)) { put(*STDOUT, pack("N", $size) . $data) }
    put(*STDOUT, pack("N", 0));
    exit;
}
sub get {
    my $data;
    if (!sysread(STDIN, $data, $_[0])) { kill "KILL", $reader; exit }
    return $data;
}
while (1) {
    my $head = "";
    while (length $head < 4) { $head .= get(4 - length $head) }
    my $left = unpack("N", $head);
    shutdown($s, 1) if !$left;
    while ($left) {
        my $data = get($left < 65536 ? $left : 65536);
        $left -= length $data;
        put($s, $data) || print STDERR "$!" . $nonce . "1";
    }
}
"""

_SCRIPT = template.load("stream")

NO_PROGRAM = "it has none of python3, perl, socat, bash and nc"

ENDED, FAILED, MISSING = b"0", b"1", b"2"
"""What follows the nonce on stderr: the server has ended the connection, or cannot be reached, or see NO_PROGRAM."""

FRAMED = b"F"
"""The first byte from a program with which both directions are framed: a length of four bytes, big-endian, and that
many bytes; an empty frame ends its direction. The end of the program's input ends the connection."""
RAW = b"R"
"""The first byte from other programs. To these, the end of their input ends the direction to the server, so that a
program whose server keeps sending continues until that ends. They report their own end on stderr, and wait for the end
of their input before they exit, since the engine drops unread output two seconds later."""

HEAD_SIZE = 4


def script(destination: Endpoint, nonce: str) -> str:
    """A script for /bin/sh -c that connects to the destination, and reports with the nonce and a digit on stderr how
    that ended."""
    values = {
        "PYTHON": _PYTHON,
        "PERL": _PERL,
        "PATH": destination.path,
        "HOST": destination.host,
        "PORT": str(destination.port),
        "NONCE": nonce,
    }
    return template.fill(_SCRIPT, **{name: shlex.quote(value) for name, value in values.items()})


_WAIT = "IFS= read -r rdo_to_path && IFS= read -r rdo_to_host && IFS= read -r rdo_to_port || exit 0\n"
"""If stdin ends instead, the program is not needed."""


def waiting_script(nonce: str) -> str:
    """The same, but it first waits for a destination on its stdin; see `destination_lines`."""
    values = {"PATH": '"$rdo_to_path"', "HOST": '"$rdo_to_host"', "PORT": "$rdo_to_port"}
    texts = {name: shlex.quote(text) for name, text in (("PYTHON", _PYTHON), ("PERL", _PERL), ("NONCE", nonce))}
    return _WAIT + template.fill(_SCRIPT, **values, **texts)


def destination_lines(destination: Endpoint) -> bytes:
    """The lines that a waiting script reads: where to connect to."""
    return fsencode(f"{destination.path}\n{destination.host}\n{destination.port}\n")


class Unframer:
    """Decodes frames, which need not arrive as a whole."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        self.has_ended = False
        """Whether the empty frame has arrived, after which nothing follows."""

    def receive(self, data: bytes) -> bytes:
        """The content of the frames in the data."""
        pieces = []
        view = memoryview(data)
        while view and not self.has_ended:
            if not self._left:
                missing = HEAD_SIZE - len(self._head)
                self._head, view = self._head + view[:missing], view[missing:]
                if len(self._head) < HEAD_SIZE:
                    break
                self._left, self._head = int.from_bytes(self._head, "big"), b""
                self.has_ended = not self._left
            pieces.append(view[: self._left])
            self._left, view = self._left - len(pieces[-1]), view[self._left :]
        return b"".join(pieces)
