"""Tests for decoding what a target reports and sends for a pull: whole, a byte at a time, and malicious."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.sync import pull_scan, pulled_record, tar_header
from rdo.sync.entry import Entry
from rdo.sync.pull_scan import BadScan, Scan, is_safe_link, seen
from rdo.sync.pulled_record import Pulled
from rdo.sync.tar_reader import BadArchive, End, Member, TarReader

GNU = "81a4 10 2026-11-29 02:28:13.626663378 +0000 2026-11-29 02:37:13.1 +0000 26"
BSD = "81ED 10 1795918906.5 1795918906.5 26"


def test_a_scan_has_kind_mode_size_and_time() -> None:
    found = seen(GNU)
    assert found[:4] == ("file", 0o644, 10, 1795919293626663378)
    assert seen(BSD)[:4] == ("file", 0o755, 10, 1795918906500000000)
    assert seen("a1ff 1 2026-11-29 02:28:13 +0000").kind == "link"
    assert seen("41ed 1 1").mtime_ns == 1_000_000_000
    assert seen("89ed 1 1").mode == 0o755
    assert seen("2190 1 1").kind == "other"


@pytest.mark.parametrize(
    ("time", "tenths"),
    [
        ("1969-12-31 23:59:58.5 +0000", -15),
        ("-2.5", -15),
        ("-1199-02-15 14:13:21 +0000", -999_999_999_990),
        ("0000-02-29 00:00:00 +0000", -621_621_216_000),
        ("10000-01-01 00:00:00 +0000", 2_534_023_008_000),
        ("2147485547-12-31 23:59:59.9 +0000", 677_680_361_916_767_999),
    ],
)
def test_a_file_of_any_time_is_seen(time: str, tenths: int) -> None:
    assert seen(f"81a4 1 {time}").mtime_ns // 10**8 == tenths


@pytest.mark.parametrize("token", ["", "zz 1 1", "81a4 x 1", "81a4 1 never", "81a4 1 9999-99-99 00:00:00 +0000"])
def test_an_invalid_state_is_refused(token: str) -> None:
    with pytest.raises(BadScan):
        seen(token)


def scan(*lines: bytes) -> Scan:
    made = Scan(b"mark", [b"a", b""])
    for line in lines:
        made.receive(line)
    return made


def scanned(*lines: bytes) -> dict[bytes, pull_scan.Seen]:
    made = scan(*lines, b"mark!scanned 0 ", b"mark!scanned 0 ")
    assert made.is_over
    return made.found


def test_a_scan_says_what_it_could_not_examine() -> None:
    assert scan().is_over is False
    assert scan(b"mark!pulls x y").pulls == b"x y"
    assert scan(b"mark!fault find").fault == b"find"
    made = scan(b"mark!scanned 1 find: no", b"mark!scanned 0 ")
    assert (made.unread, made.is_over) == ({b"a": b"find: no"}, True)
    assert scan(b"mark!scanned 2").unread == {b"a": b""}


@pytest.mark.parametrize("lines", [[b"mark!"], [b"mark!what 1"], [b"mark!scanned 0 "] * 3])
def test_a_scan_with_a_report_that_was_not_asked_for_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(BadScan, match="an unknown word"):
        scan(*lines)


def test_names_may_have_newlines() -> None:
    state = GNU.encode()
    found = scanned(b"mark\t" + state + b"\t.", b"mark\t" + state + b"\t./a", b"b", b"mark\t" + state + b"\tc")
    assert found.keys() == {b"a\nb", b"c"}


@pytest.mark.parametrize("line", [b"what", b"mark\tno name", b"mark\t81a4 1 1\t../x", b"mark\t81a4 1 1\t/x"])
def test_an_invalid_scan_is_refused(line: bytes) -> None:
    with pytest.raises(BadScan):
        scanned(line)


def test_a_scan_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_scan, "ENTRY_LIMIT", 1)
    with pytest.raises(BadScan, match="more than 1 files"):
        scanned(b"mark\t81a4 1 1\ta", b"mark\t81a4 1 1\tb")


@pytest.mark.parametrize("link", [b"x", b"../x", b"./x/y", b"..", b"a/./b"])
def test_a_link_within_the_root_is_safe(link: bytes) -> None:
    assert is_safe_link(b"d/l", link)


@pytest.mark.parametrize("link", [b"", b"/x", b"../../x", b"x/../y", b"..//../x", b"./../.."])
def test_a_link_that_could_lead_outside_is_not_safe(link: bytes) -> None:
    assert not is_safe_link(b"d/l", link)


def test_a_record_survives_writing_and_reading() -> None:
    record = {
        b"a\tb": (Pulled("file", b"digest", "token", "1 2 3"), Pulled("file", b"newer", "token")),
        b"l": (Pulled("link", b"to\nthere", "", ""),),
        b"d": (Pulled("directory"),),
    }
    assert pulled_record.decode(pulled_record.encode("mark", record)) == ("mark", record)


def test_invalid_lines_of_a_record_are_dropped() -> None:
    text = b"mark\nz\tx\nf\tx\nd\t../x\nf\tx\t\xff\t\ta\nd\ta\\z\nl\tx\t\t\t/y\nd\tkept\n\n"
    assert pulled_record.decode(text) == ("mark", {b"kept": (Pulled("directory"),)})
    assert pulled_record.decode(b"") == ("", {})


def read(data: bytes, step: int) -> list[object]:
    reader, found = TarReader(), list[object]()
    for start in range(0, len(data), step):
        for event in reader.receive(data[start : start + step]):
            if isinstance(event, bytes) and found and isinstance(found[-1], bytes):
                found[-1] += event
            else:
                found.append(event)
            if isinstance(event, End):
                return found
    return found


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("step", [1, 511, 10**6])
def test_an_archive_of_tarfile_can_be_read(form: int, step: int) -> None:
    name = "/".join(["n" * 50, "m" * 90])
    long = name if form == tarfile.USTAR_FORMAT else name + "x" * 200
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for each in ("./a", long):
            info = tarfile.TarInfo(each)
            info.size, info.mtime = 3, 1.5
            archive.addfile(info, io.BytesIO(b"abc"))
        for kind, to in ((tarfile.SYMTYPE, "x"), (tarfile.LNKTYPE, "./a")):
            info = tarfile.TarInfo("l")
            info.type, info.linkname = kind, to if form == tarfile.USTAR_FORMAT else to + "y" * 200
            archive.addfile(info)
    events = read(file.getvalue(), step)
    assert next(event for event in events if isinstance(event, Member)) == Member(b"a", b"0", 3, b"")
    assert [event.name for event in events if isinstance(event, Member)] == [b"a", long.encode(), b"l", b"l"]
    assert events[1] == b"abc"
    assert isinstance(events[-1], End)


@pytest.mark.parametrize("step", [1, 700, 10**6])
def test_tarfile_and_rdo_can_read_an_archive_of_rdo(step: int) -> None:
    entries = {
        b"a": Entry("file", 0o755, 3, 1_500_000_000_123_456_789), b"n" * 150: Entry("file", 0o644, 3, 10**9),
        b"l": Entry("link", link=b"t" * 150), b"s": Entry("link", link=b"t"), b"zero": Entry("file", mtime_ns=-5),
    }  # fmt: skip
    data = b""
    for name, entry in entries.items():
        data += tar_header.header(name, entry) + b"abc"[: entry.size] + tar_header.padding(entry.size)
    data += tar_header.end(len(data))
    assert len(data) % tar_header.RECORD == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {info.name.encode(): info for info in archive.getmembers()}
    assert found.keys() == entries.keys()
    assert (found[b"a"].mode, found[b"l"].linkname) == (0o755, "t" * 150)
    members = [event for event in read(data, step) if isinstance(event, Member)]
    assert [(each.name, each.link, each.size) for each in members] == [
        (name, entry.link, entry.size) for name, entry in entries.items()
    ]


@pytest.mark.parametrize(
    "mtime_ns",
    [-315_619_200 * 10**9, -1_500_000_000, -500_000_000, 0, 500_000_000, (8**11 - 1) * 10**9, 8**11 * 10**9],
)
def test_any_time_of_a_file_is_preserved(mtime_ns: int) -> None:
    data = tar_header.header(b"a", Entry("file", mtime_ns=mtime_ns))
    with tarfile.open(fileobj=io.BytesIO(data + tar_header.end(len(data)))) as archive:
        assert archive.getmember("a").mtime == mtime_ns / 10**9


def test_a_file_of_any_size_has_a_header() -> None:
    size = 10 * 1024**3
    block = tar_header.header(b"huge", Entry("file", 0o644, size))
    assert list(TarReader().receive(block)) == [Member(b"huge", b"0", size, b"")]


def block(kind: bytes, size: int = 0, name: bytes = b"a") -> bytes:
    made = bytearray(tar_header.header(name, Entry("file", 0o644, size)))
    made[156:157] = kind
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made)
    return bytes(made)


def extended(records: bytes) -> bytes:
    return block(b"x", len(records)) + records + tar_header.padding(len(records))


@pytest.mark.parametrize(
    "data",
    [
        block(b"0") + block(b"0") + block(b"3"), block(b"5"), block(b"S"), block(b"L", 1 << 20), b"x" * 512,
        extended(b"12 size=-1\n\n") + block(b"0"), extended(b"x\n"), extended(b"99 path=a\n"), extended(b"8 path\n\n"),
        extended(b"27 GNU.sparse.major=1 xxxx\n"), extended(b"9 path=ab"), extended(b"10 size=x\n") + block(b"0"),
        block(b"L", 5000) + b"n" * 5000 + tar_header.padding(5000) + block(b"0"),
        block(b"0")[:124] + b"9" * 12 + block(b"0")[136:],
    ],
)  # fmt: skip
def test_an_invalid_archive_is_refused(data: bytes) -> None:
    with pytest.raises(BadArchive):
        read(data, 10**6)


def test_a_size_may_be_in_an_extended_header() -> None:
    assert read(extended(b"10 size=3\n") + block(b"0") + b"abc", 10**6) == [Member(b"a", b"0", 3, b""), b"abc"]


def test_global_headers_are_skipped() -> None:
    records = b"19 comment=nothing\n"
    assert read(block(b"g", len(records)) + records + tar_header.padding(len(records)) + block(b"0"), 10**6) == [
        Member(b"a", b"0", 0, b"")
    ]


@given(st.binary(max_size=2000))
def test_no_other_exception_is_raised(data: bytes) -> None:
    for lead in (b"", extended(data[:600]), block(b"0", 5)):
        try:
            read(lead + data, 700)
        except BadArchive:
            continue
