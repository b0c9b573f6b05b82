from __future__ import annotations

import pytest

from rdo.config.forwards import Endpoint
from rdo.drivers.docker.stream_script import Unframer, script

DATA = b"\0\0\0\5hello\0\0\0\1 \0\0\0\6world!\0\0\0\0after the end"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 100])
def test_frames_may_be_split_anywhere(size: int) -> None:
    unframer = Unframer()
    pieces = [DATA[start : start + size] for start in range(0, len(DATA), size)]
    assert b"".join(map(unframer.receive, pieces)) == b"hello world!"
    assert unframer.has_ended


def test_the_end_is_no_earlier_than_its_frame() -> None:
    unframer = Unframer()
    assert unframer.receive(DATA[:9]) == b"hello"
    assert not unframer.has_ended


def test_a_destination_is_quoted() -> None:
    assert "'/a'\"'\"'b'" in script(Endpoint(path="/a'b"), "nonce")
