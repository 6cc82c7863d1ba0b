# Talewheel's one front door. Needs Python 3.11 or newer with pip and venv, and make: nothing else.
#
# Everything is installed into .venv from requirements/*.txt, exact versions checked by their hashes,
# and again only when those files have changed: .venv keeps a copy of the list it was filled from.
# Written for GNU make 3.81 and later (the one on macOS).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The one place that lists the folders of tests (tests/repository holds it to that).
# FAST: no server, no browser. SLOW: servers, processes, a browser.
# tests/bench is `make bench`, tests/eval is `make eval`.
FAST_TESTS := tests/core tests/bot tests/properties tests/repository
SLOW_TESTS := tests/faults tests/playground tests/e2e tests/adapters tests/contracts

# pytest's processes. Of the slow tests, those of one file run one after the other: they share servers;
# the files with the longest tests come first, so that both processes end together.
WORKERS ?= 2
# MiniLM computes in one thread of its own; BLAS threads on top only take turns with everything else.
export OPENBLAS_NUM_THREADS ?= 1
UV_VERSION := 0.13.9

there = $(foreach folder,$(1),$(if $(wildcard $(folder)),$(folder),$(info $(folder) is not there: not run)))
# --no-compile: Python compiles what it imports, which is a small part of what is installed.
pip = $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile
# $(call install,NAME): fills .venv from requirements/NAME.txt, unless it was already.
define install
	@cmp -s requirements/$(1).txt $(VENV)/installed-$(1).txt || { \
	  echo "Installing requirements/$(1).txt into $(VENV) (only when it has changed)"; \
	  rm -f $(VENV)/installed-*.txt && \
	  $(pip) --no-deps --require-hashes -r requirements/$(1).txt && \
	  cp requirements/$(1).txt $(VENV)/installed-$(1).txt; }
	@cmp -s pyproject.toml $(VENV)/installed-pyproject.toml && test -x $(BIN)/talewheel || { \
	  $(pip) --no-deps --no-build-isolation --editable . && \
	  cp pyproject.toml $(VENV)/installed-pyproject.toml; }
endef

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help play test check chaos bench eval lock clean lint ready-play ready-dev

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

# make hands variables given on its command line (REDIS_URL=…) to what it runs.
play: ready-play ## plays a story in a local page: no account needed (REDIS_URL=… for a Redis of your own)
	@$(BIN)/python -m bot play

check: lint ## lint, types, layers, unit and property tests: under 2 minutes
	$(BIN)/python -m pytest -n $(WORKERS) $(call there,$(FAST_TESTS))

test: lint ## all of check, core/domain covered to the last branch, and every test with a server
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report= $(call there,$(FAST_TESTS))
	$(BIN)/python -m coverage report --include='core/domain/*' --fail-under=100
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(call there,$(SLOW_TESTS))

# CHAOS='--kills 2 --random 10' makes it shorter, CHAOS='--seed 7' repeats one.
chaos: ready-dev ## kills the bot a thousand times in busy stories and reports: under 30 minutes
	@$(BIN)/python -m tests.faults.chaos $(CHAOS)
	@SEQUENCES=3000 $(BIN)/python -m pytest -q tests/core/services/test_desk_sequences.py

# BENCH='--only turn,cost' takes some of them, BENCH='--small' small sizes.
bench: ready-dev ## measures turns, memory, rush hours, start-up beside their baselines: half an hour
	@$(BIN)/python -m tests.bench $(BENCH)

# EVAL='--turns 100,1000' leaves the longest story out; --vectors FILE keeps what was embedded.
eval: ready-dev ## measures what prompts still know of 10,000 turns, without network: half an hour
	@$(BIN)/python -m tests.eval $(EVAL)

lock: $(BIN)/python ## writes requirements/*.txt anew from pyproject.toml (UPGRADE=1: newest versions)
	$(pip) uv==$(UV_VERSION)
	$(call compile,dev,--extra play --group test --group lint --group build)
	$(call compile,play,--extra play --group build --constraints requirements/dev.txt)
	$(call compile,run,--constraints requirements/dev.txt)

# Universal: one list for every system and Python from 3.11 on. dev.txt leads, the others follow its
# versions. No header, no annotation, no index: the lists name packages and hashes, never an address.
compile = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --excludes requirements/without.in $(if $(UPGRADE),--upgrade) \
	$(2) pyproject.toml requirements/model.in --output-file requirements/$(1).txt

clean: ## removes .venv and everything that tools have written
	rm -rf $(VENV) build *.egg-info .coverage .coverage.* .pytest_cache .ruff_cache \
	  .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lint: ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

ready-dev: $(BIN)/python
	$(call install,dev)

# What the tests need holds all that the playground needs.
ready-play: $(BIN)/python
	$(if $(shell cmp -s requirements/dev.txt $(VENV)/installed-dev.txt && echo yes),,$(call install,play))

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON) here. Talewheel needs Python 3.11 or newer; another name: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1). Talewheel needs Python 3.11 or newer; another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
