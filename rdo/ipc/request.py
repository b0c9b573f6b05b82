"""The request to run a command, which is the payload of RUN. Pure."""

from __future__ import annotations

from rdo.ipc.protocol import ProtocolError

FLAGS = {
    "is_shell_string": b"c",
    "sudo": b"s",
    "no_map": b"m",
    "map_output": b"o",
    "no_map_output": b"O",
    "pty": b"p",
    "verbose": b"v",
    "progress": b"g",
    "no_input": b"n",
    "no_sync": b"x",
    "sync_only": b"y",
    "can_answer": b"a",
    "is_check": b"k",
}
"""The flags of a request by name, with the letter of each on the wire. Unknown letters are ignored."""


class Request:
    """What RUN asks for. Paths, arguments and variables are bytes: they need not be UTF-8."""

    __slots__ = (
        "arguments", "can_answer", "config", "cwd", "environ", "forwards", "is_check", "is_shell_string", "map_output",
        "modes", "no_input", "no_map", "no_map_output", "no_sync", "place", "profile", "progress", "pty", "pwd",
        "remote_directory", "root", "shell_options", "stamp", "sudo", "sync_only", "term", "user", "variables",
        "verbose", "version", "window",
    )  # fmt: skip

    version: bytes
    place: bytes
    """The directory of the package, which identifies the client's installation of rdo."""
    config: bytes
    profile: bytes
    stamp: bytes
    root: bytes
    pwd: bytes
    cwd: bytes
    is_shell_string: bool
    """Whether the first argument is a shell string."""
    sudo: bool
    no_map: bool
    """Whether to leave arguments unmapped."""
    map_output: bool
    no_map_output: bool
    """Whether to leave output unmapped. If neither this nor `map_output` is set, the config decides."""
    pty: bool
    verbose: bool
    progress: bool
    """Whether the caller's stderr is a terminal that can show progress."""
    no_input: bool
    no_sync: bool
    """Whether to copy no files, neither before nor after the command."""
    sync_only: bool
    """Whether to copy files and run no command."""
    can_answer: bool
    """Whether stdin and stderr are terminals, so that a question may be asked while the command runs."""
    is_check: bool
    """Whether the command only checks that everything works, and does not count as use of the target."""
    shell_options: bytes
    """The options of the shell that runs a shell string, separated by spaces: `-c`, or `-euo pipefail -c`."""
    remote_directory: bytes
    user: bytes
    """The user to run as; empty for the target's own user or, with `sudo`, root."""
    term: bytes
    modes: bytes
    """The modes of the caller's terminal, as NAME=VALUE separated by spaces; see terminal_modes.py. Empty without a
    terminal."""
    window: tuple[int, int, int, int]
    """Rows, columns, width and height in pixels."""
    arguments: list[bytes]
    variables: list[bytes]
    forwards: list[bytes]
    """Forwards for this command alone: `L` or `R`, followed by the value of the option."""
    environ: list[bytes]

    @property
    def flags(self) -> bytes:
        """The letters of all flags that are set."""
        return b"".join(letter for name, letter in FLAGS.items() if getattr(self, name))

    @flags.setter
    def flags(self, letters: bytes) -> None:
        for name, letter in FLAGS.items():
            setattr(self, name, letter in letters)


_FIELDS = (
    "version", "place", "config", "profile", "stamp", "root", "pwd", "cwd", "flags", "shell_options",
    "remote_directory", "user", "term", "modes",
)  # fmt: skip


def encode_request(request: Request) -> bytes:
    """The payload of RUN."""
    fields: list[bytes] = [getattr(request, name) for name in _FIELDS]
    fields.append(b"%d %d %d %d" % request.window)
    for items in (request.arguments, request.variables, request.forwards):
        fields.append(b"%d" % len(items))
        fields += items
    return b"\0".join(fields + request.environ)


def version(payload: bytes) -> tuple[bytes, bytes]:
    """The version and the installation's directory in a payload of RUN, whatever the format of the rest."""
    first, _, rest = payload.partition(b"\0")
    return first, rest.partition(b"\0")[0]


def decode_request(payload: bytes) -> Request:
    """The request in a payload of RUN. Raises ProtocolError."""
    fields = iter(payload.split(b"\0"))
    request = Request()
    try:
        for name in _FIELDS:
            setattr(request, name, next(fields))
        rows, columns, width, height = map(int, next(fields).split(b" "))
        request.window = (rows, columns, width, height)
        request.arguments = [next(fields) for _ in range(int(next(fields)))]
        request.variables = [next(fields) for _ in range(int(next(fields)))]
        request.forwards = [next(fields) for _ in range(int(next(fields)))]
    except (StopIteration, ValueError):
        raise ProtocolError("malformed request") from None
    request.environ = list(fields)
    return request
