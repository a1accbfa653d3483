# Three commands do everything: `make run`, `make test` and, for whoever changes something, `make unit`. Each installs what it needs into this folder
# (.venv for Python, .stack for Kafka, the registry and Connect) and costs nothing the second time.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SECONDS_TO_RUN ?=
ONCE ?=
CONSUMERS ?= 2
PROFILE ?=
BENCH ?=
FAULTS ?=
PROVE ?=
DECODERS ?=
COVERED := 75# per cent of pipeline that tests/unit run
REPORTS := .reports# how long each test took
BY_STEP := $(if $(filter output-sync,$(.FEATURES)),--output-sync=line)

.PHONY: help run up shell down test test-with-stack test-faults test-on-stack test-without-stack unit check sizes stack reference bench faults prove decoders clean

help: ## list these commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: install it, or name it: make PYTHON=python3.12 ...")'
	@echo "Installing Python packages into $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

stack: $(VENV)/.installed ## fetch Kafka, the registry and Connect with Debezium (Maven), once
	@$(BIN)/python -m deploy.local install

run: stack ## the sample firm, live: Ajera to PIM on the embedded stack, until Ctrl-C (ONCE=1: a short day, verified, then the end)
	@$(BIN)/python -m deploy.demo --consumers $(CONSUMERS) $(if $(ONCE),--once) $(if $(SECONDS_TO_RUN),--seconds $(SECONDS_TO_RUN)) $(if $(PROFILE),--profile $(PROFILE))

up: stack ## the same in the background, to try commands on: `make shell`, then `make down`
	@$(BIN)/python -m deploy.demo.play up --consumers $(CONSUMERS) $(if $(PROFILE),--profile $(PROFILE))

shell: $(VENV)/.installed ## a shell in which `ajera-cdc status` works, while `make up` is running
	@$(BIN)/python -m deploy.demo.play shell

down: $(VENV)/.installed ## end what `make up` started
	@$(BIN)/python -m deploy.demo.play down

test: stack ## everything: linters, types, all tests on the embedded stack, and a verified `make run ONCE=1`
	@$(MAKE) --no-print-directory check
	@rm -rf $(REPORTS)
	@echo "Two lanes side by side; each step of one is shown when it ends."
	@$(MAKE) --no-print-directory --jobs=2 $(BY_STEP) test-with-stack test-without-stack
	@$(BIN)/python -m tests.slowest $(REPORTS)/*.xml

# What needs Kafka waits more than it computes, and has deadlines: the other lane yields to it.
test-with-stack: # one lane of `make test`
	@$(MAKE) --no-print-directory test-on-stack
	@$(MAKE) --no-print-directory test-faults

test-faults: stack # faults, incidents, and the contracts of Kafka's adapters
	@$(BIN)/python -m pytest -m stack --ignore=tests/integration --junitxml=$(REPORTS)/faults.xml

test-on-stack: stack # how the whole works together on Kafka
	@$(BIN)/python -m pytest -m stack tests/integration --junitxml=$(REPORTS)/stack.xml

test-without-stack: stack # the other: unit tests with coverage, what needs PostgreSQL alone, the demos
	@nice $(BIN)/coverage run -m pytest tests/unit --junitxml=$(REPORTS)/unit.xml
	@$(BIN)/coverage report --fail-under=$(COVERED)
	@EXCHANGE_EVERY=3 nice $(BIN)/python -m pytest --ignore=tests/unit -m "not stack" --junitxml=$(REPORTS)/others.xml
	@nice $(MAKE) --no-print-directory run ONCE=1
	@nice $(MAKE) --no-print-directory run ONCE=1 PROFILE=deploy/sample/other-names.toml

unit: $(VENV)/.installed ## every test that needs no stack: no database, no broker, no Java
	@$(BIN)/python -m pytest -q -m "not postgres and not stack and not sqlserver"

sizes: $(VENV)/.installed ## tokens a line, wide lines, lengths of functions and modules
	@$(BIN)/python -m tests.architecture.sizes

check: $(VENV)/.installed ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: stack ## ours beside Debezium's JDBC sink, as one table, in some 25 minutes (BENCH="--short": proves that it runs)
	@$(BIN)/python -m tests.bench $(BENCH)

faults: stack ## the long form of the fault tests: a table of counts tried and failed
	@$(BIN)/python -m tests.faults --long $(FAULTS)

prove: $(VENV)/.installed ## 100,000 random interleavings of edits on both sides; a death at every commit of the exchange (make test tries each third)
	@$(BIN)/python -m tests.properties.conflicts.prove $(PROVE)
	@$(BIN)/python -m pytest tests/integration/test_exchange_crashes.py

decoders: $(VENV)/.installed ## a million random bodies, read by the compiled reader and by fastavro
	@$(BIN)/python -m tests.unit.decoding.bodies $(DECODERS)

reference: $(VENV)/.installed ## write the generated pages of docs again; a skeleton for each code without a page
	@$(BIN)/ajera-cdc reference --write docs/reference
	@$(BIN)/python -m tests.docs.glossary
	@$(BIN)/python -m tests.docs.runbook

clean: ## remove everything that was installed or made here
	rm -rf $(VENV) .stack $(REPORTS)
