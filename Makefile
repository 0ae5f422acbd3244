# Every target does its own set-up on a fresh machine with Python 3.11+, make and git.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# `make run PRACTICE=1`: no network, no root, no hardware.
# Tests with real OpenZFS that take longer than all others together: `make lab-zfs` runs them.
LONG := backup console plan run sending
FLAGS := $(if $(filter-out 0 no false,$(PRACTICE)),--practice,)

.PHONY: run test lint lab lab-zfs again bench pictures docs wheel clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run ## start the wizard; PRACTICE=1 for make-believe
	@$(BIN)/smartos-wizard $(FLAGS) $(ARGS)

test: $(VENV)/.dev ## the tests that need no real parts
	$(BIN)/pytest -n 2 -q $(ARGS)

lint: $(VENV)/.dev ## ruff, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lab: $(VENV)/.dev ## the tests with real parts: loop devices, QEMU, FUSE (as root, on Linux)
	$(BIN)/pytest tests/lab -m lab -q -n 2 --dist loadgroup $(LONG:%=--ignore=tests/lab/test_%_zfs.py) $(ARGS)

lab-zfs: $(VENV)/.dev ## the re-install on a machine with real OpenZFS: an hour or two without hardware acceleration
	$(BIN)/pytest $(LONG:%=tests/lab/test_%_zfs.py) -m lab -q $(ARGS)

again: $(VENV)/.dev ## what failed last, once more, one test after the other; what fails twice fails
	$(BIN)/pytest $(WHERE) -q --last-failed --last-failed-no-failures none $(ARGS)

bench: $(VENV)/.dev ## measure against named peers; writes docs/performance.md
	$(BIN)/python -m tests.bench $(ARGS)

pictures: $(VENV)/.dev ## the pictures of the docs, from the practice world
	$(BIN)/python packaging/pictures.py $(ARGS)

docs: $(VENV)/.dev ## docs/commands.md from the commands' own help
	$(BIN)/python packaging/command_docs.py

wheel: $(VENV)/.dev ## build the wheel into dist/
	$(BIN)/pip wheel -q --no-deps -w dist .

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (as python3 in PATH)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python cannot make virtual environments here; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.python pyproject.toml
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run pyproject.toml packaging/dev-requirements.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r packaging/dev-requirements.txt
	@touch $@

clean: ## remove what the targets made
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
