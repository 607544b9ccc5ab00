# `make demo` shows it at work, `make test` proves it; `make help` lists the rest.

# Settings made for other work must not decide what is installed here.
unexport PIP_CONSTRAINT PIP_FIND_LINKS PIP_NO_INDEX PIP_PREFIX PIP_REQUIREMENT
unexport PIP_REQUIRE_VIRTUALENV PIP_TARGET PIP_USER
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV
# Nor what a test finds in its environment.
CLEAN := env $(patsubst %,-u %,$(filter IPYTHON% JPY_% JUPYTER% OTEL_% PYTEST_%,$(.VARIABLES)))

BIN := .venv/bin
PINS := constraints/pinned.txt
# What is installed is named after what it was installed from.
KEY := $(shell cat pyproject.toml kernel/pyproject.toml kernel/startup/* $(PINS) | cksum | cut -d' ' -f1)
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint $(PINS)
PYTEST := $(CLEAN) $(BIN)/python -m pytest --timeout 120
BENCH ?= full
FAULTS ?= full

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo lab test check lint bench faults soak crashes collector docs pins clean

help: ## list these
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: .venv/demo-$(KEY) ## run a notebook on a real server; show its trace and events
	$(BIN)/jupyter-otel demo

lab: .venv/lab-$(KEY) ## the same with a JupyterLab left open
	$(BIN)/jupyter-otel demo --lab

test: lint collector-if-here jaeger-if-here browser-if-here strace-if-here ## everything, against real counterparts
	$(PYTEST) -rs tests

check: lint ## lint, types, layers and unit tests: less than a minute
	$(PYTEST) --quiet tests/unit

lint: .venv/test-$(KEY) ## lint, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/test-$(KEY) ## CPU and caller's cost beside the stock road (BENCH=quick: a minute)
	$(CLEAN) $(BIN)/python benchmarks/table.py $(BENCH)

faults: .venv/test-$(KEY) ## what becomes of records when a collector misbehaves (FAULTS=quick: half a minute)
	$(CLEAN) $(BIN)/python faults/table.py $(FAULTS)

soak: .venv/test-$(KEY) ## an hour's worth of events while faults switch at random (10 minutes)
	$(CLEAN) $(BIN)/python faults/soak.py --seconds 600

crashes: .venv/test-$(KEY) ## kill 600 processes at random moments; count what is lost (8 minutes)
	$(CLEAN) $(BIN)/python faults/crashes.py --kills 300

collector: ## build the OpenTelemetry Collector that the tests run, once
	@collector-config/build.sh

docs: .venv/test-$(KEY) ## write docs/configuration.md from the code
	$(BIN)/python docs/generate.py

pins: ## resolve every version anew and write constraints/pinned.txt
	constraints/renew.sh

clean: ## remove what make made
	rm -rf .venv .build dist .hypothesis .pytest_cache .mypy_cache .ruff_cache
	rm -rf .import_linter_cache .grimp_cache

# Where it cannot be built the tests that need it are skipped and listed; with
# CI=true that is a failure.
.PHONY: collector-if-here
collector-if-here:
	@if [ "$$CI" = true ] || command -v go > /dev/null; then $(MAKE) --no-print-directory collector; \
	else echo "Not run here: tests/collector (they build the Collector; install Go 1.25 or newer)"; fi

# Jaeger takes four minutes to build, once: elsewhere it is built when it is asked for.
.PHONY: jaeger jaeger-if-here
jaeger: ## build the Jaeger that one of the tests asks, once
	@tests/collector/build-jaeger.sh

jaeger-if-here:
	@if [ "$$CI" = true ]; then $(MAKE) --no-print-directory jaeger; \
	elif [ ! -x "$$(tests/collector/build-jaeger.sh path)" ]; then \
	    echo "Not run here: the test that reads a trace back from Jaeger (make jaeger, with Go)"; fi

# The page for people is looked at in a real browser, and system calls are traced,
# likewise.
.PHONY: browser-if-here strace-if-here
strace-if-here:
	@if command -v strace > /dev/null; then :; \
	elif [ "$$CI" = true ]; then apt-get update -q && apt-get install -q -y --no-install-recommends strace; \
	else echo "Not run here: tests that trace system calls (Debian: apt-get install strace)"; fi

browser-if-here:
	@if command -v chromium > /dev/null || command -v google-chrome > /dev/null; then :; \
	elif [ "$$CI" = true ]; then apt-get update -q && apt-get install -q -y --no-install-recommends chromium; \
	else echo "Not run here: tests that look at a page (Debian: apt-get install chromium)"; fi

.venv/pyvenv.cfg:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; \
	    then exec $$python -m venv --clear .venv; fi; \
	done; \
	echo "No Python 3.11 or newer with its venv module was found on PATH." \
	     "Install one (Debian: apt-get install python3-venv) or name it: make PYTHON=/path/to/python3 ..." >&2; \
	exit 1

.venv/pip-$(KEY): .venv/pyvenv.cfg
	@find .venv -maxdepth 1 -name '*-[0-9]*' -type f -delete
	$(INSTALL) --upgrade pip
	@touch $@

.venv/demo-$(KEY): .venv/pip-$(KEY)
	$(INSTALL) --build-constraint $(PINS) --group demo --editable ./kernel --editable '.[server]'
	@touch $@

.venv/lab-$(KEY): .venv/pip-$(KEY)
	$(INSTALL) --build-constraint $(PINS) --group lab --editable ./kernel --editable '.[server]'
	@touch $@

.venv/test-$(KEY): .venv/pip-$(KEY)
	$(INSTALL) --build-constraint $(PINS) --group test --group data --editable ./kernel --editable '.[server,grpc]'
	@touch $@
