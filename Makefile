# Everything below works from a clean clone. PYTHON chooses the interpreter that .venv is made with: make test PYTHON=python3.12
PYTHON ?= python3
# Relative, so that the directory's own name may hold spaces, which make cannot handle in a target.
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help

# Images of Python often set it: then each process that runs tests would compile all of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help venv native demo collect test lowest newest pythons matrix soak check asan valgrind bench docs man lock dist clean

# With an init of its own. A test that hangs fails, and the others go on.
PYTEST := tests/reaper.py -m pytest -o faulthandler_exit_on_timeout=true

# The tests beside real servers.
SERVERS := tests/integration tests/e2e tests/security tests/native

# In processes with servers of their own: how many, is in tests/conftest.py.
SIDE_BY_SIDE := -n auto --dist worksteal

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s  %s\n", $$1, $$2 }' Makefile

demo: .venv/installed ## a throw-away SSH server, and rdo running commands on it
	@$(BIN)/python demo/demo.py

# Each process that runs tests has all of them rewritten for their assertions, unless that was done before.
collect: .venv/developing
	@$(BIN)/python -m pytest --collect-only -qq tests/unit $(SERVERS) >/dev/null

# RETRY=1: what failed beside real servers, on a machine that does other things too, has one more try, by itself.
AGAIN := $(BIN)/python $(PYTEST) --last-failed --last-failed-no-failures none $(SERVERS)

# Collected from their files alone: they are few, and run when all others have ended.
SERIAL = $(shell grep -rlw 'pytest.mark.serial' --include='test_*.py' $(SERVERS))

# Unit tests that take no branch of a pure module which others do not.
UNTRACED = $(shell grep -rlE '^(pytestmark =|   ) pytest.mark.no_cover' --include='test_*.py' tests/unit)

# ALL=1: those too that are marked as long, and whether each branch of the pure modules is taken, for which a tracer
# doubles the time of the unit tests that it looks at, and of all else in their processes.
test: .venv/developing ## install what the tests need, then run all of them
	@sh tests/setup-debian
	$(BIN)/python $(PYTEST) $(SIDE_BY_SIDE) tests/unit $(if $(ALL),$(UNTRACED:%=--ignore %) --cov --cov-report=term)
	$(if $(ALL),$(BIN)/python $(PYTEST) $(SIDE_BY_SIDE) $(UNTRACED))
	$(BIN)/python $(PYTEST) $(SIDE_BY_SIDE) -m 'not serial$(if $(ALL),, and not long)' $(SERVERS) $(if $(RETRY),|| $(AGAIN))
	$(BIN)/python $(PYTEST) -m serial $(SERIAL) $(if $(RETRY),|| $(AGAIN))

# What other releases could break: ssh, the command line and its tables, compose files. ALL=1: all tests.
LIBRARIES := tests/unit/drivers/ssh tests/unit/cli $(wildcard tests/integration/test_ssh_[chlp]*.py) \
	tests/integration/test_docker_credentials.py tests/e2e/test_rdoctl_status.py

lowest: .venv-lowest/ready ## the tests that depend most on other libraries, with the oldest releases that pyproject.toml allows
	@sh tests/setup-debian
	.venv-lowest/bin/python $(PYTEST) $(SIDE_BY_SIDE) $(if $(ALL),tests/unit $(SERVERS),$(LIBRARIES))

newest: .venv-newest/python ## these and the unit tests, with the newest releases
	@sh tests/setup-debian
	.venv-newest/bin/python -m pip --disable-pip-version-check install --quiet --upgrade --upgrade-strategy eager \
		--editable '.[test]'
	.venv-newest/bin/python $(PYTEST) $(SIDE_BY_SIDE) tests/unit $(LIBRARIES)

pythons: ## the unit tests, with each Python from 3.10 to 3.14 that is installed
	@for version in 3.10 3.11 3.12 3.13 3.14; do \
		python=$$(sh tests/find-python $$version) || { echo "make: no Python $$version is here" >&2; continue; }; \
		$(MAKE) --no-print-directory .venv-$$version/ready PYTHON="$$python" && echo "Python $$version" && \
		.venv-$$version/bin/python $(PYTEST) $(SIDE_BY_SIDE) tests/unit --ignore tests/unit/remote_sh || exit; \
	done

matrix: lowest newest pythons ## these three, for every night: other projects release when they like

# ONLY=full_disk: only the parts whose name says so, as pytest's -k takes it; ONLY=fuzz: only the fuzzing.
soak: .venv/soaking ## the tests of what breaks rarely, at full length: up to two hours; reports what it counted
	@sh tests/setup-debian
	@command -v clang >/dev/null || sh tests/setup-debian clang
	@! command -v clang >/dev/null || echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
		clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null || \
		sh tests/setup-debian "libclang-rt-$$(clang -dumpversion | cut -d. -f1)-dev"
	RDO_SOAK=1 $(BIN)/python $(PYTEST) -o faulthandler_timeout=1000 -m soak $(if $(ONLY),-k '$(ONLY)') tests

# All that is POSIX sh; .ci is not in a source distribution.
SH := $(wildcard rdo/remote_sh/*.sh) bin/rdo bin/rdo-rsh bin/rdoctl tests/setup-debian tests/find-python

# Each file of the client in C, once after it was changed.
STAMPS := .venv/analysed$(if $(DEEP),-deep)
ANALYSED := $(patsubst native/%.c,$(STAMPS)/%,$(wildcard native/*.c))
COMPILE := -std=c11 -D_GNU_SOURCE -DRDO_VERSION='"0"'

check: .venv/developing ## ruff, its format, mypy --strict, shellcheck, and for C gcc's analyzer and clang-tidy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	@command -v shellcheck >/dev/null || sh tests/setup-debian shellcheck
	@command -v shellcheck >/dev/null || { echo 'make: `shellcheck` is missing: install the package of that name' >&2; exit 1; }
	shellcheck --shell=sh $(SH)
	shellcheck --shell=bash rdo/cli/completion.bash
	$(if $(wildcard .ci/run),shellcheck .ci/run)
	@command -v $(firstword $(CC)) >/dev/null || sh tests/setup-debian gcc libc6-dev
	@command -v clang-tidy >/dev/null || sh tests/setup-debian clang-tidy
	@command -v clang-tidy >/dev/null || echo 'make: `clang-tidy` is missing, so that native/ is checked by the compiler alone' >&2
	@$(MAKE) --no-print-directory --jobs=2 $(ANALYSED)

# clang has no -fanalyzer.
ANALYZER = $(shell $(CC) -fanalyzer -E -x c /dev/null >/dev/null 2>&1 && echo -fanalyzer)
TIDY = $(shell command -v clang-tidy)

# DEEP=1: clang's analyzer goes down every path, which takes ten times as long.
DEPTH := $(if $(DEEP),,$(patsubst %,--extra-arg=%,-Xclang -analyzer-config -Xclang mode=shallow))

$(STAMPS)/%: native/%.c $(wildcard native/*.h) native/.clang-tidy | .venv/developing
	@mkdir -p $(@D)
	@$(CC) $(COMPILE) -O1 -Wall -Wextra -Wconversion -Wshadow -Werror $(ANALYZER) -c $< -o $@.o
	@$(if $(TIDY),$(TIDY) --quiet $(DEPTH) $< -- $(COMPILE) 2>$@.log || { cat $@.log; exit 1; })
	@touch $@

# The tests of the client, for the two below. They look at all the client does, not at its speed.
CLIENT_TESTS := tests/native tests/e2e/commands $(patsubst %,tests/e2e/test_%.py,bulk no_pty odd_callers \
	progress prompts relative_paths silence start terminal_modes)
CHECKED = RDO_TEST_CLIENT='$(CURDIR)/.venv/$@' $(BIN)/python $(PYTEST) $(SIDE_BY_SIDE) -m 'not serial and not long' \
	-k '$(or $(ONLY),$(1))' $(wildcard $(CLIENT_TESTS))

# What a checker has found is in files of its own.
define checked
rm -rf .venv/$@
mkdir -p .venv/$@/found .venv/$@/client
for name in rdo-client rdo-rsh rdoctl; do ln -s ../bin/$$name .venv/$@/$$name; ln -s ../../bin/$$name .venv/$@/client/$$name; done
CFLAGS='-g -O1 -Werror $(1)' LDFLAGS='$(2)' $(BIN)/python native/compile.py --package '$(CURDIR)/rdo' .venv/$@/$(3)
endef
CHECK_FOUND = @! grep -s . .venv/$@/found/* || { echo 'make: see .venv/$@/found' >&2; exit 1; }

asan: .venv/developing ## the tests of the client in C under AddressSanitizer and UBSan
	$(call checked,-fsanitize=address$(COMMA)undefined -fno-sanitize-recover -DSANITIZER_LOG='\''"$(CURDIR)/.venv/asan/found/log"'\'',tests/native/sanitizer.c,rdo)
	$(call CHECKED,not RLIMIT_DATA)
	$(CHECK_FOUND)
COMMA := ,

# A test that compares environments fails here, since valgrind sets variables: only what it finds counts.
valgrind: .venv/developing ## the same under valgrind, except those that leave no memory for it
	$(call checked,,,client/rdo)
	printf '#!/bin/sh\nexec valgrind --quiet --error-exitcode=99 --leak-check=full --log-file="%s/.venv/valgrind/found/%%p" "%s/.venv/valgrind/client/rdo" "$$@"\n' \
		'$(CURDIR)' '$(CURDIR)' >.venv/valgrind/rdo
	chmod +x .venv/valgrind/rdo
	-$(call CHECKED,not few_descriptors and not other_limits and not closed_descriptors and not test_handover and not test_request)
	$(CHECK_FOUND)

bench: .venv/developing ## compare rdo with ssh, docker exec and others, as ratios of medians
	$(BIN)/python -m benchmarks

docs: .venv/documenting ## the documentation as a site, in site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo site/index.html

man: .venv/developing ## write the man pages and docs/commands.md again, after a help text was changed
	$(BIN)/python -m manual

lock: .venv/python ## write requirements-dev.lock again, with the newest releases: .venv is made of these
	$(PIP) uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --extra dev --extra soak --no-config \
		--custom-compile-command 'make lock' --output-file requirements-dev.lock pyproject.toml

# The wheels for other platforms are cross-compiled; the first time that takes minutes.
dist: .venv-dist/ready .venv/developing ## the source distribution and the wheels of a release, in dist/, tried where possible
	rm -rf dist
	mkdir dist
	.venv-dist/bin/python native/wheels.py dist
	@command -v qemu-aarch64-static >/dev/null || sh tests/setup-debian qemu-user-static
	$(BIN)/python $(PYTEST) -q tests/release

venv: .venv/developing ## create .venv, with rdo installed editable and everything that development needs

clean: ## remove what the other targets made
	rm -rf .venv .venv-lowest .venv-newest .venv-dist .venv-3.* dist site .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip writes the interpreter's path behind `#!` as it is, and no kernel reads one with a space in it.
define install
$(PIP) --constraint requirements-dev.lock --editable $(1)
@case '$(CURDIR)' in *' '*) for name in rdo-client; do { printf '%s\n' '#!/bin/sh' \
	"'''exec' '$(CURDIR)/$(BIN)/python' \"\$$0\" \"\$$@\"" "' '''"; sed 1d bin/$$name; } >$(BIN)/$$name; done ;; esac
@touch $@
endef

# What is compiled into a client.
CLIENT := $(wildcard native/*.[ch]) native/compile.py rdo/__init__.py

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo 'make: `$(PYTHON)` is missing or older than 3.10; name another: make PYTHON=...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || sh tests/setup-debian python3-venv
	$(PYTHON) -m venv .venv
	@rm -f .venv/lib/python*/site-packages/distutils-precedence.pth # costs each start of Python, and tests start thousands
	@touch $@

.venv/installed: pyproject.toml requirements-dev.lock hatch_build.py bin/rdo bin/rdo-client bin/rdo-rsh bin/rdoctl | .venv/python
	$(call install,.)

.venv/developing: pyproject.toml requirements-dev.lock hatch_build.py bin/rdo bin/rdo-client bin/rdo-rsh bin/rdoctl | .venv/python
	$(call install,'.[dev]')
	@touch .venv/installed

.venv/soaking: pyproject.toml requirements-dev.lock | .venv/developing
	$(call install,'.[soak]')

.venv/documenting: pyproject.toml requirements-dev.lock | .venv/python
	$(call install,'.[docs]')

.venv-dist/ready: requirements-dev.lock | .venv/python
	$(PYTHON) -m venv .venv-dist
	.venv-dist/bin/python -m pip --disable-pip-version-check install --quiet --constraint requirements-dev.lock build hatchling ziglang
	@touch $@

.venv-newest/python: | .venv/python
	$(PYTHON) -m venv .venv-newest
	@touch $@

.venv-3.%/ready: pyproject.toml requirements-dev.lock $(CLIENT)
	$(PYTHON) -m venv .venv-3.$*
	.venv-3.$*/bin/python -m pip --disable-pip-version-check install --quiet --constraint requirements-dev.lock --editable '.[test]'
	@touch $@

.venv-lowest/ready: pyproject.toml requirements-dev.lock tests/lowest.py $(CLIENT) | .venv/developing
	$(PYTHON) -m venv .venv-lowest
	$(BIN)/python tests/lowest.py >.venv-lowest/pins
	.venv-lowest/bin/python -m pip --disable-pip-version-check install --quiet --constraint .venv-lowest/pins --editable '.[test]'
	@touch $@

# pip has compiled it, too, if it found a compiler; this one has no warning, and is that of the sources as they are now.
.PHONY: uncompiled
native: $(BIN)/rdo ## the client in C of this checkout, as .venv/bin/rdo

$(BIN)/rdo: $(CLIENT) $(if $(shell head -c 2 $(BIN)/rdo 2>/dev/null | grep '#!'),uncompiled) | .venv/developing
	CFLAGS='-Werror $(CFLAGS)' $(BIN)/python native/compile.py --package '$(CURDIR)/rdo' $@

# The client in Python, for RDO_TEST_CLIENT=python: the launcher in a directory of its own.
.venv/python-client/rdo: bin/rdo | .venv/developing
	mkdir -p $(@D)
	for name in rdo rdo-rsh rdoctl; do cp bin/rdo $(@D)/$$name; done
	ln -sf ../bin/rdo-client $(@D)/rdo-client
