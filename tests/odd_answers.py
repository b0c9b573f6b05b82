"""Answers of an engine that make no sense, each with a name, the request that it answers, and its content."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterable, Mapping

from tests.odd_engine import GOOD, ID, INSPECTION, UPGRADED, Say, answer, frame

MUCH = b"\0" * 65536

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = PLAIN + b"Transfer-Encoding: chunked\r\n\r\n"


def say(*parts: bytes | Iterable[bytes]) -> Say:
    """A function that sends these parts. A part that is not bytes is sent again and again, until nobody receives it."""

    def send(connection: socket.socket) -> None:
        for part in parts:
            for piece in [part] if isinstance(part, bytes) else part:
                connection.sendall(piece)

    return send


def of_length(length: str, body: bytes | Iterable[bytes]) -> Say:
    return say(PLAIN + f"Content-Length: {length}\r\n\r\n".encode(), body)


def inspection(**changed: object) -> Say:
    return say(answer({**INSPECTION, **changed}))


def mount(**changed: object) -> Say:
    return inspection(Mounts=[{"Type": "bind", "Source": "/", "Destination": "/", "RW": True, **changed}])


def state(**changed: object) -> Say:
    known = INSPECTION["State"]
    assert isinstance(known, dict)
    return inspection(State={**known, **changed})


def ended(**changed: object) -> Say:
    known = GOOD["status"]
    assert isinstance(known, dict)
    return say(answer({**known, **changed}))


HTTP: Mapping[str, Say] = {
    "no answer": say(),
    "another protocol": say(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "half a head": say(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "a head without end": say(b"HTTP/1.1 200 OK\r\n", itertools.repeat(b"X-Y: z\r\n" * 1000)),
    "a line without end": say(b"HTTP/1.1 200 ", itertools.repeat(b"x" * 8192)),
    "no status": say(b"HTTP/1.1 OK\r\n\r\n"),
    "another version": say(b"HTTP/2 200 OK\r\n\r\n"),
    "a status of five digits": say(b"HTTP/1.1 20000 OK\r\n\r\n"),
    "a status of 5,000 digits": say(b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n"),
    "a status of odd digits": say("HTTP/1.1 ²00 OK\r\n\r\n".encode("latin-1")),
    "only that it goes on": say(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a stream that nobody wanted": say(UPGRADED),
    "no content": say(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "somewhere else": say(b"HTTP/1.1 301 Moved\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n"),
    "an error that is no JSON": say(answer("fällt aus".encode("latin-1"), "500 Internal")),
    "an error that is a list": say(answer(["x"], "500 Internal")),
    "an error whose message is a number": say(answer({"message": 7}, "500 Internal")),
    "an error of many lines": say(answer({"message": "a\n\x1b[31mb\r\n" * 9999}, "500 Internal")),
    "an error of 3 GiB": say(b"HTTP/1.1 500 X\r\nContent-Length: 3221225472\r\n\r\n", itertools.repeat(MUCH)),
    "a length below zero": of_length("-1", b"{}"),
    "a length that is a word": of_length("many", b"{}"),
    "a length of 5,000 digits": of_length("9" * 5000, b"{}"),
    "less than its length": of_length("99999", b"{}"),
    "more than its length": of_length("1", json.dumps(INSPECTION).encode()),
    "3 GiB": of_length("3221225472", itertools.repeat(MUCH)),
    "no end": say(PLAIN + b"\r\n", itertools.repeat(MUCH)),
    "a piece below zero": say(CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n"),
    "a piece of a signed size": say(CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n"),
    "a piece without size": say(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"),
    "a piece of 16 digits": say(CHUNKED + b"ffffffffffffffff\r\n", itertools.repeat(MUCH)),
    "a piece longer than its size": say(CHUNKED + b"1\r\n{}\r\n0\r\n\r\n"),
    "pieces without end": say(CHUNKED, itertools.repeat(b"10000\r\n" + MUCH + b"\r\n")),
    "a size without end": say(CHUNKED, itertools.repeat(b"0" * 8192)),
    "a piece that is cut": say(CHUNKED + b"ff\r\n{}"),
    "an encoding": say(PLAIN + b"Transfer-Encoding: gzip\r\n\r\n{}"),
    "latin-1": say(answer('{"Id": "ä"}'.encode("latin-1"))),
    "half of it": say(answer(json.dumps(INSPECTION).encode()[:100])),
    "nothing": say(answer(b"")),
    "brackets without end": say(answer(b"[" * 100_000)),
    "a number of 5,000 digits": say(answer(b'{"Id": ' + b"9" * 5000 + b"}")),
    "no number": say(answer(b'{"Id": NaN}')),
    "null": say(answer(None)),
    "a list": say(answer([INSPECTION])),
    "a text": say(answer("x")),
}
"""Answers to a request about a container, since every answer is read by the same code."""

TYPES: Mapping[str, Say] = {
    "no id": inspection(Id=None),
    "an id that is a path": inspection(Id="../../images/x"),
    "an id that is a request": inspection(Id="x HTTP/1.1\r\nHost: y\r\n\r\nDELETE /x"),
    "a name that is a number": inspection(Name=7),
    "half a letter": inspection(Name="\ud800"),
    "no state": inspection(State=None),
    "an empty state": inspection(State={}),
    "a state that is a list": inspection(State=[]),
    "a word for a truth": state(Running="yes"),
    "a health that is a text": state(Health="good"),
    "a status of the wrong type": state(ExitCode="1"),
    "mounts that are an object": inspection(Mounts={"a": 1}),
    "a mount that is null": inspection(Mounts=[None]),
    "a source that is a number": mount(Source=7),
    "a destination with a NUL": mount(Destination="/a\0b"),
    "no destination": mount(Destination=None),
    "labels that are a list": inspection(Config={"Labels": ["x"]}),
    "a config that is a text": inspection(Config="x"),
    "a directory that is a list": inspection(Config={"WorkingDir": []}),
}

OTHERS: Mapping[str, tuple[str, Say]] = {
    "a version that is a word": ("ping", say(b"HTTP/1.1 200 OK\r\nApi-Version: new\r\nContent-Length: 0\r\n\r\n")),
    "a version of 5,000 digits": (
        "ping",
        say(b"HTTP/1.1 200 OK\r\nApi-Version: 1." + b"9" * 5000 + b"\r\nContent-Length: 0\r\n\r\n"),
    ),
    "no such thing as an engine": ("ping", say(answer({"message": "not found"}, "404 Not Found"))),
    "an exec without id": ("create", say(answer({}, "201 Created"))),
    "an exec with a path for an id": ("create", say(answer({"Id": "a/../b"}, "201 Created"))),
    "an exec that is a list": ("create", say(answer([ID], "201 Created"))),
    "an exec that cannot be": ("create", say(answer({"message": "no\nno"}, "409 Conflict"))),
    "no stream": ("start", say(b"HTTP/1.1 204 No Content\r\n\r\n")),
    "a refusal of a stream": ("start", say(answer({"message": "no"}, "500 Internal"))),
    "a refusal of 3 GiB": (
        "start", say(b"HTTP/1.1 500 X\r\nContent-Length: 3221225472\r\n\r\n", itertools.repeat(MUCH))
    ),
    "an empty stream": ("start", say(UPGRADED)),
    "half a frame's head": ("start", say(UPGRADED + b"\1\0\0")),
    "a frame of kind 7": ("start", say(UPGRADED + frame(7, b"x"))),
    "no frames": ("start", say(UPGRADED + b"HTTP/1.1 200 OK\r\n\r\nhello")),
    "a frame of 4 GiB without end": ("start", say(UPGRADED + frame(1, b"", 2**32 - 1), itertools.repeat(MUCH))),
    "empty frames without end": ("start", say(UPGRADED, itertools.repeat(frame(1, b"") * 8192))),
    "noise without end": ("start", say(UPGRADED, itertools.repeat(frame(2, MUCH)))),
    "whether it runs is a word": ("status", ended(Running="no")),
    "a status that is a word": ("status", ended(ExitCode="0")),
    "a status of 70000": ("status", ended(ExitCode=70000)),
    "a status below zero": ("status", ended(ExitCode=-1)),
    "a status that is none": ("status", ended(ExitCode=1.5)),
    "a process id that is a word": ("status", ended(Pid="x")),
    "an empty status": ("status", say(answer({}))),
    "a status that is gone": ("status", say(answer({"message": "no such exec"}, "404 Not Found"))),
}  # fmt: skip

ALL: Mapping[str, tuple[str, Say]] = {
    **{f"of a container, {name}": ("inspect", what) for name, what in {**HTTP, **TYPES}.items()},
    **OTHERS,
}
