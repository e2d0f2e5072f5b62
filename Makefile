# `make demo` and `make test` need Python 3.11 or newer and nothing else; each sets up .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help demo test test-fast check format lint types lock wheel clean
.DEFAULT_GOAL := help

help:  ## say what each target does
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: .venv/demo-installed  ## catalog the bundled episode, with real speech recognition
	@$(BIN)/catalog run demo

test: .venv/dev-installed  ## all tests, on every core
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-fast: .venv/dev-installed  ## the tests that need no speech model
	@$(BIN)/python -m pytest -m "not model and not slow"

check: format lint types test  ## formatting, lint, types, import rules, tests

format: .venv/dev-installed
	@$(BIN)/ruff format --check .

lint: .venv/dev-installed
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

types: .venv/dev-installed
	@$(BIN)/mypy

lock: .venv/dev-installed  ## pin the requirements again, after a change of pyproject.toml
	@sh requirements/lock.sh

wheel: .venv/dev-installed  ## build dist/*.whl
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir dist .

clean:  ## take away what was built, but no data
	rm -rf .venv dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/%-installed: requirements/%.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet --require-hashes --no-deps --only-binary :all: -r $<
	$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@
