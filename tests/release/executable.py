"""Reads the header of a program: the fields of ELF and of Mach-O that matter here."""

from __future__ import annotations

import struct
from dataclasses import dataclass

ELF_MAGIC, MACH_MAGIC = b"\x7fELF", b"\xcf\xfa\xed\xfe"
"""Of 64-bit little-endian programs."""

PT_INTERP = 3
LC_LOAD_DYLIB, LC_CODE_SIGNATURE, LC_BUILD_VERSION = 0xC, 0x1D, 0x32

MACHINES = {0x3E: "x86_64", 0xB7: "aarch64"}
CPUS = {0x01000007: "x86_64", 0x0100000C: "arm64"}


@dataclass(frozen=True)
class Executable:
    """A program for one machine."""

    system: str
    machine: str
    libraries: tuple[str, ...] = ()
    """Libraries that are linked when it starts. For ELF, only the loader, which a static program does not have."""
    oldest: str = ""
    """The oldest release of macOS that it runs on."""
    is_signed: bool = False


def read(data: bytes) -> Executable:
    """Parse the program in these bytes. Raises ValueError."""
    if data.startswith(ELF_MAGIC):
        return elf(data)
    if data.startswith(MACH_MAGIC):
        return mach(data)
    raise ValueError(data[:4])


def elf(data: bytes) -> Executable:
    (machine,) = struct.unpack_from("<H", data, 18)
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<I4xQ16xQ", data, offset + number * size) for number in range(count)]
    loaders = tuple(data[at : at + length].rstrip(b"\0").decode() for kind, at, length in headers if kind == PT_INTERP)
    return Executable("Linux", MACHINES[machine], loaders)


def mach(data: bytes) -> Executable:
    _, cpu, _, _, count = struct.unpack_from("<5I", data)
    libraries, oldest, is_signed, offset = [], "", False, 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, offset)
        if command == LC_LOAD_DYLIB:
            (name,) = struct.unpack_from("<I", data, offset + 8)
            libraries.append(data[offset + name : offset + size].rstrip(b"\0").decode())
        elif command == LC_BUILD_VERSION:
            (version,) = struct.unpack_from("<I", data, offset + 12)
            oldest = f"{version >> 16}.{version >> 8 & 0xFF}"
        is_signed = is_signed or command == LC_CODE_SIGNATURE
        offset += size
    return Executable("macOS", CPUS[cpu], tuple(libraries), oldest, is_signed)
