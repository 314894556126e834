# Two commands do everything: `make up` runs the laptop fleet, `make test` runs every check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help up test slow unit check lint types floors bench docs lock vendor clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/:/' | awk -F: '{printf "  make %-7s %s\n", $$1, $$2}'

up: $(VENV)/run.stamp  ## run the laptop fleet until Ctrl-C
	@$(BIN)/amalthea up

test: $(VENV)/dev.stamp check  ## every check and the default test suite
	$(BIN)/pytest -m "not load and not slow"
	$(BIN)/pytest -m "load and not slow" -n 0

slow: $(VENV)/dev.stamp  ## what takes longer, or wants a container engine: sandboxes, Docker, crashes by the hundred
	$(BIN)/pytest -m "slow and not load"
	$(BIN)/pytest -m "slow and load" -n 0

unit: $(VENV)/dev.stamp  ## the fast part of the tests
	$(BIN)/pytest -n 4 -m "not system and not load and not browser and not slow"

check: lint types floors  ## lint, types and the floors between packages

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

floors: $(VENV)/dev.stamp
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp  ## every benchmark, in its quick form
	$(BIN)/python -m benchmarks all --quick

docs: $(VENV)/docs.stamp  ## build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

SOLVE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --all-extras --group build
lock: $(VENV)/dev.stamp  ## solve the dependencies anew
	$(BIN)/$(SOLVE) --group dev --group docs pyproject.toml -o lock/docs.txt
	$(BIN)/$(SOLVE) --group dev -c lock/docs.txt pyproject.toml -o lock/dev.txt
	$(BIN)/$(SOLVE) -c lock/dev.txt pyproject.toml -o lock/run.txt

clean:  ## remove the environment and everything built
	rm -rf $(VENV) docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "amalthea needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Say which one: make PYTHON=python3.11 up" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/%.stamp: lock/%.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing from lock/$*.txt; this takes about a minute, once"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r lock/$*.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

vendor: $(VENV)/dev.stamp  ## fetch the browser libraries anew and compare them with what is known
	$(BIN)/python vendor/vendor.py src/amalthea/services/nbviewer/libraries
