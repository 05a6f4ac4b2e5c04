# Tuppence. A fresh machine needs Python 3.11 or later, make and a package registry, nothing else:
#
#   make serve    runs the service on http://127.0.0.1:8000/graphql, GraphiQL signed in
#   make test     runs the specification      (ARGS="-k credit -x" goes to pytest)
#   make check    formatting, lint, types, storeys, and the tests of tidiness
#   make bench    measures                    (ARGS goes to the benchmark)
#   make soak     troubles instances, database and NATS at random   (SECONDS=1200 SEED=any)
#   make setup    prepares .venv/ and the page's assets, and does nothing when nothing changed
#   make lock     pins requirements/*.in with hashes in requirements/*.txt (ARGS=--upgrade: anew)

PYTHON  ?= python3
ARGS    ?=
SECONDS ?= 1200
SEED    ?=
BIN     := .venv/bin
PAGE    := graph/page
CLIENTS := tests/clients
PEERS   := benchmarks/node
PIP     := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet

.DEFAULT_GOAL := help
.PHONY: help setup serve test check bench soak lock clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^#   //p' Makefile

setup: .venv/.project $(PAGE)/dist/.copied

# The locked requirements, hash by hash.
.venv/.requirements: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "setup: Tuppence needs Python 3.11 or later; name it with PYTHON=…")'
	@echo "setup: .venv (half a minute, once)"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# The project itself, editable, so that .venv/bin/tuppence is there; no registry is asked.
.venv/.project: pyproject.toml .venv/.requirements
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

# GraphiQL and what it stands on, by npm: the machine's, or the one that .venv holds.
$(PAGE)/dist/.copied: $(PAGE)/package.json $(PAGE)/package-lock.json $(PAGE)/prepare.py | .venv/.requirements
	@echo "setup: the GraphiQL page (a few seconds, once)"
	@$(BIN)/python $(PAGE)/prepare.py
	@touch $@

# The clients and audits that the specification lets loose on the service, by npm likewise.
$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package-lock.json | .venv/.requirements
	@echo "setup: the specification's clients (a few seconds, once)"
	@$(BIN)/python -m tests.clients.prepare
	@touch $@

# The Node services that Tuppence is measured beside, and checked to do the same work as.
$(PEERS)/node_modules/.package-lock.json: $(PEERS)/package-lock.json | .venv/.requirements
	@echo "setup: the benchmark's Node services (a few seconds, once)"
	@$(BIN)/python -m benchmarks.nodes

serve: setup
	@$(BIN)/tuppence serve --dev $(ARGS)

test: setup $(CLIENTS)/node_modules/.package-lock.json $(PEERS)/node_modules/.package-lock.json
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/house $(ARGS)

bench: setup $(PEERS)/node_modules/.package-lock.json
	@$(BIN)/python -m benchmarks $(ARGS)

# Each run says its seed; SEED=… troubles the same things in the same order again.
soak: setup
	@$(BIN)/python -m tests.faults.soak --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

# uv locks for every platform at once; it lives in a virtualenv of its own, for this only.
lock:
	@$(PYTHON) -m venv .venv/lock
	@.venv/lock/bin/python -m pip --disable-pip-version-check --quiet --quiet install uv==0.13.9
	@for name in run build dev; do \
	  echo "lock: requirements/$$name.txt"; \
	  .venv/lock/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header $(ARGS) \
	    --output-file requirements/$$name.txt requirements/$$name.in; \
	done
	@rm -rf .venv/lock

clean:
	@rm -rf .venv $(PAGE)/node_modules $(PAGE)/dist $(CLIENTS)/node_modules $(PEERS)/node_modules
