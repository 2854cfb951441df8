# License Portal. `make` lists what can be done. Needs git, make, python3-venv and ca-certificates.
.DEFAULT_GOAL := help
.PHONY: help run test check fix lock bench long messages

PYTHON ?= python3
VENV   := .venv/bin/python
# More words for the command behind a target: make test ARGS="-k activation"
ARGS   ?=
UV     := uv==0.13.9
LOCK   := .venv/bin/uv pip compile --quiet --generate-hashes --python-version 3.11 \
          --no-emit-index-url --system-certs --custom-compile-command "make lock"

help: ## list the targets
	@echo "usage: make TARGET [ARGS=...]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the portal and a device, with demo data, on this machine
	@$(PYTHON) -m tools.environment requirements.txt
	@$(VENV) -m tools.demo $(ARGS)

test: ## check, then the whole suite on PostgreSQL, and operations and journeys on SQLite
	@$(PYTHON) -m tools.packages
	@$(PYTHON) -m tools.environment requirements-dev.txt
	@$(VENV) -m tools.run_tests $(ARGS)

check: ## ruff, mypy, import contracts, migrations, Django's own checks
	@$(PYTHON) -m tools.environment requirements-dev.txt
	@$(VENV) -m tools.check

fix: ## let ruff put right and format what it can
	@$(PYTHON) -m tools.environment requirements-dev.txt
	@$(VENV) -m tools.check --fix

long: ## the tests that are too long for every day (up to an hour)
	@$(PYTHON) -m tools.packages
	@$(PYTHON) -m tools.environment requirements-dev.txt
	@$(VENV) -m tools.run_tests --long $(ARGS)

bench: ## measure the acts beside their floors
	@$(PYTHON) -m tools.packages
	@$(PYTHON) -m tools.environment requirements-dev.txt
	@$(VENV) -m benchmarks $(ARGS)

messages: ## bring the message catalogs up to date
	@$(PYTHON) -m tools.environment requirements-dev.txt
	@$(VENV) -m tools.messages $(ARGS)

lock: ## pin requirements*.in with hashes (ARGS=--upgrade for newer releases)
	@$(PYTHON) -m tools.environment requirements-dev.txt
	@test -x .venv/bin/uv || $(VENV) -m pip install --quiet --disable-pip-version-check $(UV)
	@$(LOCK) $(ARGS) -o requirements.txt requirements.in
	@$(LOCK) $(ARGS) -o requirements-tracing.txt requirements-tracing.in
	@$(LOCK) $(ARGS) -o requirements-dev.txt requirements-dev.in
