# One vocabulary for people, hooks and CI. `make help` lists it.

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.ready
# The installer that reads uv.lock; it is put into .venv, nothing has to be installed by hand.
UV    := 0.13.9

# The first Python that is new enough; `make setup PYTHON=/path/to/python` chooses another.
ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)
endif

# `make run SERVE=0` stops after the printed table.
SERVE ?= 1
# What `make pytest` hands to pytest, as PYTEST_ARGS="-k rfm".
PYTEST_ARGS ?= -n 2 --dist loadfile

# Threads that wait must sleep: spinning ones starve their neighbours.
export OMP_WAIT_POLICY := passive
# Small problems: one thread is the fastest, and the last bits stay as they are.
export OPENBLAS_NUM_THREADS := 1
export UV_PROJECT_ENVIRONMENT := $(VENV)

.DEFAULT_GOAL := help
.PHONY: help setup run test lint format types contract notebooks pytest benchmarks build clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" \
	read -r target does; do printf '  make %-11s %s\n' "$$target" "$$does"; done

setup: $(READY) ## build .venv from uv.lock (once; again when uv.lock or pyproject.toml changes)

$(READY): pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo 'Regulars needs Python 3.11 or newer, and none was found.' \
	'Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12' >&2; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) 2>/dev/null \
	|| $(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(BIN)/uv --version 2>/dev/null | grep -qF 'uv $(UV)' \
	|| $(BIN)/python -m pip install --quiet 'uv==$(UV)' 2>/dev/null \
	|| $(PYTHON) -m pip --python $(BIN)/python install --quiet 'uv==$(UV)'
	$(BIN)/uv sync --frozen --compile-bytecode --python $(BIN)/python
	@touch $@

run: $(READY) ## the whole job on CDNOW, then serve it (SERVE=0 stops after the table)
	$(BIN)/regulars demo $(if $(filter 0,$(SERVE)),--no-serve)

# pytest comes last, so that its closing line is the last one.
test: $(READY) ## everything that has to pass: lint, types, contract, tests (they execute the notebooks)
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory contract
	@$(MAKE) --no-print-directory pytest

lint: $(READY) ## style and likely bugs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## rewrite the files in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## type annotations
	$(BIN)/mypy

contract: $(READY) ## imports go one way: features, training, serving, regulars
	$(BIN)/lint-imports

notebooks: $(READY) ## make notebooks/*.ipynb from their scripts and execute them
	$(BIN)/jupytext --quiet --set-kernel python3 --to ipynb notebooks/*.py
	$(BIN)/jupyter-execute --inplace notebooks/*.ipynb

pytest: $(READY) ## the tests alone (PYTEST_ARGS="-k rfm" chooses)
	$(BIN)/pytest $(PYTEST_ARGS)

benchmarks: $(READY) ## the tables of speed and quality (long)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/quality.py
	$(BIN)/python benchmarks/next_purchase.py
	$(BIN)/python benchmarks/uplift.py
	$(BIN)/python benchmarks/effects.py
	$(BIN)/python benchmarks/groups.py

build: $(READY) ## the wheel and the source archive, into dist/
	$(BIN)/uv build --quiet
	@ls dist

clean: ## remove what was built; results in .regulars/ and regulars-demo/ stay
	rm -rf $(VENV) dist build notebooks/*.ipynb .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
