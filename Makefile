# Everything a person or a CI does with this checkout. `make` alone lists it.
# Needs make, Python 3.11 or newer and pip; the rest is installed into .venv from the lock files.
# ARGS goes to the command:   make demo ARGS="--port 9000"   make test ARGS="-k slack -x"
# PYTHON names another one:   make run PYTHON=/opt/python3.13/bin/python3

MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

ARGS ?=
BENCH ?= $(filter-out load scale schedule soak web,$(patsubst bench/%.py,%,$(wildcard bench/[a-z]*.py)))
# Tests wait for processes, servers and databases a third of their time: one worker more than processors.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
export PYTHON
BIN := .venv/bin
UV_COMPILE := $(BIN)/uv pip compile -q --universal --generate-hashes --no-header \
	--no-emit-index-url --python-version 3.11 pyproject.toml

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# ---------------------------------------------------------------- use it

.PHONY: run
run: .venv/.run  ## Start the service on SQLite with feeds.toml (Ctrl-C stops it)
	@$(BIN)/monitor run $(ARGS)

.PHONY: demo
demo: .venv/.run  ## Start it on the newsroom that ships with it; touches no network
	@$(BIN)/monitor demo $(ARGS)

.PHONY: image
image:  ## Build the container image with docker (compose.yaml runs it)
	docker build --tag monitor:latest $(ARGS) .

# ---------------------------------------------------------------- work on it

.PHONY: test
test: check  ## Everything CI runs: the checks, then the tests (a PostgreSQL comes with them)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

.PHONY: test-slow
test-slow: .venv/.dev  ## The tests that take long: looks at the larger benchmarks
	$(BIN)/python -m pytest -m slow -n $(WORKERS) --dist worksteal $(ARGS)

.PHONY: check
check: .venv/.dev  ## The quick part: format, lint, types, import contracts, lock files
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@! grep -nE 'https?://' requirements.lock requirements-dev.lock || \
		{ echo "A lock file names a host: make it with 'make lock'."; exit 1; }

.PHONY: format
format: .venv/.dev  ## Format the code and mend what the linter can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: bench
bench: .venv/.dev  ## Measure this project beside its peers (BENCH=extract: only that one)
	@for name in $(BENCH); do echo "== $$name"; $(BIN)/python -m bench.$$name $(ARGS) || exit 1; done

.PHONY: bench-web
bench-web: .venv/.dev  ## Server time of each page at a million articles (ARGS="--articles 20000 --postgres")
	$(BIN)/python -m bench.web $(ARGS)

.PHONY: soak
soak: .venv/.dev  ## Run the service among hostile servers for ten minutes (ARGS="--minutes 1")
	$(BIN)/python -m bench.soak $(ARGS)

.PHONY: load
load: .venv/.dev  ## Ten thousand feeds, fifty articles a second, then twice that (ARGS="--postgres --minutes 2")
	$(BIN)/python -m bench.load $(ARGS)

# 3,000 articles of 300 outlets, in two hours by a clock that is twenty times as fast; a kill comes three
# seconds at the latest after the one before, or a start: ten minutes on two processors that are idle else.
CHAOS := --outlets 300 --interval 600 --stories 60 --others 2800 --minutes 120 --feed-faults 0.2 \
	--kills 200 --life 3 --calls 2

.PHONY: chaos-slack
chaos-slack: .venv/.dev  ## Kill the service fifty times while its Slack fails (ARGS="--postgres --seed 2")
	$(BIN)/python -m tests.chaos $(ARGS)

.PHONY: chaos
chaos: .venv/.dev  ## Kill processes of a cluster two hundred times while all else fails (ARGS="--seed 2")
	$(BIN)/python -m tests.chaos --workers 3 --restarts 2 $(CHAOS) $(ARGS)

.PHONY: chaos-local
chaos-local: .venv/.dev  ## The same with one process on SQLite (ARGS="--seed 2")
	$(BIN)/python -m tests.chaos $(CHAOS) $(ARGS)

.PHONY: fuzz
fuzz: .venv/.dev  ## Give anything to whatever reads what others wrote (ARGS="--minutes 10 --target feeds")
	$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: audit
audit: .venv/.dev  ## List what a release is made of in dist/, and ask what is known against it
	$(BIN)/python -m tools.audit $(ARGS)

.PHONY: pictures
pictures: .venv/.dev  ## Make docs/img anew from the demo (needs chromium; a slow test takes them, too)
	$(BIN)/python tools/pictures.py $(ARGS)

.PHONY: lock
lock: .venv/.dev  ## Resolve pyproject.toml into both lock files (ARGS=--upgrade moves the pins)
	$(UV_COMPILE) $(ARGS) -o requirements.lock
	$(UV_COMPILE) $(ARGS) -c requirements.lock --group dev -o requirements-dev.lock

.PHONY: clean
clean:  ## Remove .venv, caches and build products; databases stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- .venv

# The development lock holds the same pins and more, so one environment serves both.
.venv/.run: requirements.lock tools/venv
	@tools/venv requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock requirements.lock tools/venv
	@tools/venv requirements-dev.lock
	@touch .venv/.run $@
