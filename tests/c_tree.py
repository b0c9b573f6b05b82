"""A typical C project: up to 200 sources with headers, sub-makes, `$(shell)`, generated sources and dependencies."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tests.soak import tries

UNITS = tries(40, 160)
"""The number of sources that the top Makefile compiles itself."""

LIBRARIES, MEMBERS = ("alpha", "beta", "gamma", "delta"), tries(3, 10)
"""Directories with their own Makefile, and the number of sources in each."""

COMPILER = "CC := gcc\nARCHIVE = ar rcsD $@ $^\n"

NO_COMPILER = "CC = sh $(TOP)/tools/cc\nARCHIVE = $(CC) -o $@ $^\n"
"""Settings for a target without a compiler."""

MAKEFILE = r"""
TOP := .
include config.mk
VERSION := $(shell sed -n 's/^version = //p' VERSION)
SOURCES := $(shell ls src/*.c)
OBJECTS := $(SOURCES:src/%.c=build/%.o)
LIBRARIES := $(foreach name,$(shell cd lib && echo *),lib/$(name)/lib$(name).a)

all: build/program

build/program: $(OBJECTS) $(LIBRARIES)
	$(CC) -g -o $@ $^

build/%.o: src/%.c | build
	$(CC) -g -Wall -DVERSION='"$(VERSION)"' -Iinclude -Ibuild -MMD -MP -c -o $@ $<

build/main.o: build/names.h

build/names.h: $(SOURCES) | build
	@{ echo '/* made: $(words $(SOURCES)) of "$(VERSION)" */'; \
	for path in $^; do \
		name=$${path##*/}; printf '"%s", ' "$${name%.c}"; \
	done; } >$@.part
	@mv $@.part $@

build:
	mkdir -p $@

$(LIBRARIES): libraries ;

libraries:
	for name in lib/*; do $(MAKE) -C "$$name" || exit; done

.PHONY: all libraries
-include $(OBJECTS:.o=.d)
"""

LIBRARY = """
TOP := ../..
include ../../config.mk
OBJECTS := $(patsubst %.c,%.o,$(shell ls *.c))

lib{name}.a: $(OBJECTS)
\trm -f $@
\t$(ARCHIVE)

%.o: %.c
\t$(CC) -g -I../../include -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)
"""

MAIN = """\
#include "common.h"
#include <stdio.h>
static const char *names[] = {
#include "names.h"
};
int main(void) { printf("%s: %d\\n", VERSION, (int)(sizeof names / sizeof *names)); return 0; }
"""

TOOL = r"""#!/bin/sh
# Stands in for compiler, archiver and linker: what it makes is its inputs and their headers, in capitals.
out= directory= inputs=
while [ $# -gt 0 ]; do
    case $1 in
    -o) out=$2; shift ;;
    -I*) directory=${directory:-${1#-I}} ;;
    -*) ;;
    *) inputs="$inputs $1" ;;
    esac
    shift
done
case $out in *.o)
    inputs="$inputs $(sed -n "s,^#include \"\([cu].*\)\",$directory/\1,p" $inputs | tr '\n' ' ')"
    echo "$out: $inputs" >"${out%.o}.d" ;;
esac
cat $inputs | tr a-z A-Z >"$out"
"""


def write(directory: Path, config: str) -> None:
    """Create the directory, and the project in it."""
    units = [f"u{number:03}" for number in range(UNITS - 1)]
    files = {
        "Makefile": MAKEFILE,
        "config.mk": config,
        "VERSION": "version = 1.2 (beta)\n",
        "tools/cc": TOOL,
        "include/common.h": "#define COMMON(x) ((x) + 1)\n",
        "src/main.c": MAIN,
        **_unit_files("src", units),
    }
    for name in LIBRARIES:
        files[f"lib/{name}/Makefile"] = LIBRARY.replace("{name}", name)
        files |= _unit_files(f"lib/{name}", [f"u_{name}_{number}" for number in range(MEMBERS)])
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)


def _unit_files(directory: str, names: Iterable[str]) -> dict[str, str]:
    """The source and the header of each unit."""
    found = {}
    for name in names:
        found[f"include/{name}.h"] = f"int {name}(int x);\n"
        body = f"int {name}(int x) {{ return COMMON(x) + {len(found)}; }}\n"
        found[f"{directory}/{name}.c"] = f'#include "common.h"\n#include "{name}.h"\n{body}'
    return found


def contents(directory: Path) -> dict[str, bytes]:
    """The contents of every file below the directory."""
    return {os.path.relpath(path, directory): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def times(directory: Path) -> dict[str, int]:
    """The modification time of every file below the directory."""
    return {
        os.path.relpath(path, directory): path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()
    }
