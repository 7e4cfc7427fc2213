# Lightbox: make help lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# tests at the same time; a file's tests stay together, and those in a browser
JOBS ?= 2

.PHONY: help setup setup-dev run test check docs lint bench mutants fuzz fuzz-networks assets clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.run ## make the environment in .venv, nothing else
	@:

setup-dev: $(VENV)/.dev

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Lightbox needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python cannot make a virtual environment: install python3-venv (apt install python3.11-venv)."; exit 1; }
	@touch $@

SITE := dashboard/site/index.html
BUILD_SITE = NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

# the environment's own setuptools builds the package, so that nothing is fetched for it
$(VENV)/.run: requirements.txt requirements-docs.txt pyproject.toml $(VENV)/.python
	@$(PIP) -r requirements.txt -r requirements-docs.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@$(PIP) -r requirements-dev.txt
	@touch $@

run: setup $(SITE) ## set up and open Lightbox on 127.0.0.1:8501 (PORT=… for another port)
	@$(BIN)/python -m dashboard $(if $(PORT),--port $(PORT)) $(if $(HOST),--host $(HOST))

test: setup-dev ## set up and run every check and test
	@tests/e2e/ensure-chromium $(BIN)/python
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder

check: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(MAKE) --no-print-directory docs

docs: setup ## build the pages of documentation into dashboard/site, where the app serves them
	@$(BUILD_SITE) --strict

$(SITE): mkdocs.yml $(shell find docs -type f) | setup
	@$(BUILD_SITE)

lint: setup-dev ## mend what ruff can mend, then show the rest
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(MAKE) --no-print-directory check

bench: setup-dev ## every benchmark, as ratios against named baselines
	@for name in $$($(BIN)/python -m core list benches | cut -d' ' -f1); do $(BIN)/python -m core bench $$name || exit $$?; done

mutants: setup-dev ## break the library on purpose, count what its tests see (FOLDERS= COUNT= SEED=; 440 changes, 40 minutes)
	@nice -n 10 $(BIN)/python -m tests.mutation $(FOLDERS) $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

fuzz: setup-dev ## give every reader of files damaged ones (FUZZ_SECONDS= SEED=; 10 minutes)
	@$(BIN)/python -m tests.fuzz --seconds $(or $(FUZZ_SECONDS),600) $(if $(SEED),--seed $(SEED))

fuzz-networks: setup-dev ## ask networks drawn at random in every way (COUNT=; 2,000, about 10 minutes)
	@LIGHTBOX_DRAWN_NETWORKS=$(or $(COUNT),2000) $(BIN)/python -m pytest -q tests/core/networks/test_drawn.py

assets: setup ## rebuild the demo models, scans and cohort (about 50 minutes on 2 cores)
	@$(BIN)/python -m core train demo --out assets

clean: ## remove the environment, caches and the local store
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .lightbox build dist *.egg-info dashboard/site
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
