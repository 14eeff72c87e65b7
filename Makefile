# Everything runs in .venv, which `make setup` builds from PyPI packages: only Python 3.11 or newer, git and make
# must be there before. `make help` lists the commands.

.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINK := .ansible/collections/ansible_collections/palier/aws
# The name of the stamp holds a checksum of what is to be installed, so that a change of branch renews .venv as well.
STAMP := $(VENV)/.installed-$(shell cat requirements-dev.txt constraints.txt | cksum | cut -d' ' -f1)

export ANSIBLE_HOME := $(CURDIR)/.ansible
export PATH := $(CURDIR)/$(BIN):$(PATH)
# A login shell's own settings must not decide what the tests see.
unexport ANSIBLE_CONFIG ANSIBLE_COLLECTIONS_PATH ANSIBLE_ROLES_PATH ANSIBLE_CALLBACKS_ENABLED ANSIBLE_STDOUT_CALLBACK

JOBS ?= 2
# The connection of all stacks in integration tests and molecule, instead of the warm one:
# `make test-integration molecule CONNECTION=ansible.builtin.local` shows that nothing depends on it.
CONNECTION ?=
export PALIER_CONNECTION := $(CONNECTION)
# Which whole-system tests to run.
INTEGRATION ?= tests/integration
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n $(JOBS) --dist loadfile
# The sources that mypy reads.
TYPED := -p ansible_collections.palier.aws.plugins

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: $(STAMP) $(LINK) ## Build .venv and the link by which Ansible finds this collection
	@:

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make setup: '$(PYTHON)' is missing or older than Python 3.11; name a newer one: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "make setup: '$(PYTHON) -m venv' failed; on Debian and Ubuntu install the package python3-venv" >&2; exit 1; }

$(STAMP): $(VENV)/bin/python
	@rm -f $(VENV)/.installed-*
	@echo "Installing the tool chain into $(VENV): some minutes, 1.1 GB"
	@trap 'kill $$ticker 2>/dev/null' EXIT; trap 'exit 130' INT TERM; \
	(while sleep 30 >/dev/null 2>&1; do echo "  still installing"; done) & ticker=$$!; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(LINK):
	@mkdir -p $(dir $(LINK))
	@ln -sfn ../../../.. $(LINK)

.PHONY: demo
demo: setup ## Plan, deploy, verify and re-run inventories/classic_ec2 on the local emulator
	@$(BIN)/python -m tools.demo

.PHONY: test
test: lint test-unit test-emulator test-integration molecule ## Everything: lint, unit, emulator and integration tests, molecule

.PHONY: test-unit
test-unit: setup ## Unit tests of plugins and tools
	$(PYTEST) $(PARALLEL) tests/unit

.PHONY: test-emulator
test-emulator: setup ## Tests of the local AWS emulator
	$(PYTEST) $(PARALLEL) tests/emulator

.PHONY: test-integration
test-integration: setup ## Whole systems, deployed on the emulator by real ansible-playbook runs
	$(PYTEST) $(PARALLEL) $(INTEGRATION)

.PHONY: molecule
molecule: setup ## Every molecule scenario, against one emulator (SCENARIO=name runs one)
	$(BIN)/python -m tools.molecule --jobs $(JOBS) $(SCENARIO)

CHAIN ?= main
.PHONY: containers
containers: setup ## The examples as running containers; takes a Docker engine (CHAIN=whole: all of both systems)
	$(BIN)/python -m tools.containers $(CHAIN)

# `make test-real REAL=boot:debian-13` runs one machine only.
REAL ?=
.PHONY: test-real
test-real: setup ## Machines that boot, the examples as running containers: a Docker engine is installed where that can be done
	@code=0; $(BIN)/python -m tools.real $(REAL) || code=1; \
	$(if $(REAL),:,$(BIN)/python -m tools.containers whole || code=1); exit $$code

.PHONY: lint
lint: setup ## Style, types, documentation, argument specs, generated files
	$(BIN)/python -m tools.lint

.PHONY: sanity
sanity: setup ## ansible-test's sanity tests, which download their own tools from PyPI (SANITY="--test validate-modules" runs one)
	$(BIN)/python -m tools.sanity $(SANITY)

.PHONY: format
format: setup ## Rewrite the Python sources in the house format
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format --quiet .

.PHONY: docs
docs: setup ## Write the generated pages (role READMEs, docs/modules.md, docs/roles.md, docs/playbooks.md) and meta/runtime.yml
	$(BIN)/python -m tools.generate

.PHONY: iam
iam: setup ## Write docs/iam afresh, from what runs of the example inventories ask for (some minutes)
	PALIER_RECORD_IAM=1 $(PYTEST) $(PARALLEL) $(wildcard tests/integration/*/test_cycle.py tests/integration/release/test_*.py)

.PHONY: tarball
tarball: setup ## Build the collection's tarball into build/
	@mkdir -p build
	$(BIN)/ansible-galaxy collection build --force --output-path build

.PHONY: lock
lock: setup ## Renew constraints.txt from requirements-dev.txt
	$(BIN)/python -m tools.lock

.PHONY: clean
clean: ## Remove everything that these commands make
	rm -rf $(VENV) .ansible .cache build .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f palier-aws-*.tar.gz changelogs/.plugin-cache.yaml plan.json
	find . -name .git -prune -o -name __pycache__ -type d -print | xargs rm -rf
