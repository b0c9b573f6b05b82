"""The script that connects to a server in a container, and how its output is read. Pure, but for a file of rdo."""

from __future__ import annotations

import shlex

from rdo.config.forwards import Endpoint
from rdo.fscodec import fsencode
from rdo.remote_sh import template

# Of several addresses, the error of the first is shown, since those that cannot be reached from there at all come last.

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
"""What follows the nonce on stderr: the server has ended the connection, or cannot be reached; or see NO_PROGRAM."""

FRAMED = b"F"
"""The first byte from a program by which both directions go in frames: a length of four bytes, big-endian, and so many
bytes; none for the end of that direction. The end of its input is that of the connection.
"""
RAW = b"R"
"""That from others. To them the end of their input is that of what goes to the server, so that one whose server goes on
sending stays until that ends. Their own end is said on stderr: they wait for the end of their input before they exit,
because the engine drops what was not read two seconds later.
"""

HEAD_SIZE = 4


def script(destination: Endpoint, nonce: str) -> str:
    """For /bin/sh -c: connect to the destination, and say by the nonce and a digit on stderr how that ended."""
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
"""Where its stdin ends instead, nobody has use for it."""


def waiting_script(nonce: str) -> str:
    """The same, which first waits for a destination on its stdin: see `destination_lines`."""
    values = {"PATH": '"$rdo_to_path"', "HOST": '"$rdo_to_host"', "PORT": "$rdo_to_port"}
    texts = {name: shlex.quote(text) for name, text in (("PYTHON", _PYTHON), ("PERL", _PERL), ("NONCE", nonce))}
    return _WAIT + template.fill(_SCRIPT, **values, **texts)


def destination_lines(destination: Endpoint) -> bytes:
    """What a script that waits reads: where to connect to."""
    return fsencode(f"{destination.path}\n{destination.host}\n{destination.port}\n")


class Unframer:
    """Takes what comes in frames apart. They need not come whole."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        self.has_ended = False
        """Whether the frame of no bytes has come, after which there is nothing."""

    def receive(self, data: bytes) -> bytes:
        """What they contain."""
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
