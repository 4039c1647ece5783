# Everything a developer types. Needs make and Python 3.13, or uv to fetch it; all else goes into .venv and .tools, from the hashed lock files.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

export SAM_CLI_TELEMETRY := 0
# Another project's environment, or a Python of the shell's, must not leak into ours.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

BIN := .venv/bin
# The interpreter itself, not a shim or a link to one. A shim of pyenv finds it only where pyenv is told its version, and
# no .python-version here tells it: such a file hides every command that pyenv has for another version only, as `aws`.
EXECUTABLE = import sys; print(sys.executable)
PYTHON ?= $(or \
	$(shell python3.13 -c '$(EXECUTABLE)' 2>/dev/null),\
	$(shell PYENV_VERSION=3.13 python3.13 -c '$(EXECUTABLE)' 2>/dev/null),\
	$(shell uv python find 3.13 2>/dev/null),\
	$(shell uv python install --quiet 3.13 2>/dev/null && uv python find 3.13 2>/dev/null))

# $(call install,folders): environments of tools, each from its lock file; what is there and current stays
define install
@test -n "$(PYTHON)" || { echo "logarchive needs Python 3.13 (python3.13 on the PATH), or uv to fetch it" >&2; exit 1; }
@$(PYTHON) -m tools.install $(1)
endef

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## deploy to a local AWS and archive simulated providers
	$(call install,--demo .venv .tools/sam .tools/ministack)
	@$(BIN)/python -m tools.demo

.PHONY: local
local: .venv/installed .tools/sam/installed .tools/ministack/installed ## sam local: each function in a container (needs Docker)
	@$(BIN)/python -m tools.local

.PHONY: test
test: lint .tools/ministack/installed ## lint, types, then every test
	@$(BIN)/python -m pytest

.PHONY: trino
trino: ## every saved query and view on Trino, the engine behind Athena (needs Maven; ALL=1: the bench of queries in small, too)
	$(call install,.tools/trino .venv .tools/sam .tools/ministack)
	@$(BIN)/python -m pytest -m "trino$(if $(ALL),, and not slow)" -n 0 tests/trino

.PHONY: soak
soak: .venv/installed .tools/ministack/installed ## archives of 100,000 records a provider against the truth, and many random schedules
	@$(BIN)/python -m pytest -m soak

.PHONY: foreign
foreign: .venv/installed .tools/ministack/installed ## the tests of the store, two workers and the whole way on another S3 (needs Go)
	@$(BIN)/python -m tools.foreign

.PHONY: mutants
mutants: .venv/installed ## change the engine in one place at a time, and name the changes that no fast test sees
	@$(BIN)/python -m tools.mutants $(MODULES)

.PHONY: coverage
coverage: .venv/installed .tools/sam/installed .tools/ministack/installed ## every test, and which lines of the layer and the functions none reaches
	@$(BIN)/python -m pytest --cov --cov-report=term

.PHONY: bench
bench: .venv/installed .tools/ministack/installed .tools/dlt/installed .tools/grove/installed ## what the archive costs beside what nobody can avoid, and beside dlt and grove (ROWS=… BASE=… CHECK=1 KEEP=1)
	@PYTHONPATH=layers/shared:. $(BIN)/python -m tools.bench $(if $(BASE),--base $(BASE)) $(if $(KEEP),--keep) $(if $(CHECK),--check) $(ROWS)

.PHONY: bench-readers
bench-readers: .venv/installed ## every reader's time and memory, for bodies that double from 64 KB to 64 MB
	@$(BIN)/python -m tools.bench_readers

.PHONY: bench-verify
bench-verify: .venv/installed ## the verifier's speed and memory, on copies made for it (MIB=… of objects, by default 1024)
	@PYTHONPATH=layers/shared:. $(BIN)/python -m tools.bench_verify $(MIB)

.PHONY: bench-queries
bench-queries: ## what each saved query takes on Trino over a month of ten sources, on `logs` and on `history` (needs Maven and Go; CHECK=1 KEEP=1)
	$(call install,.tools/trino .venv .tools/sam .tools/ministack)
	@PYTHONPATH=layers/shared:. $(BIN)/python -m tools.bench_queries $(if $(KEEP),--keep) $(if $(CHECK),--check)

.PHONY: fuzz
fuzz: .venv/installed .tools/fuzz/installed ## fuzz every reader, response, manifest, event and source (TARGETS=… SECONDS=…)
	@PYTHONPATH=.tools/fuzz/lib/python3.13/site-packages $(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),600) $(TARGETS)

.PHONY: lint
lint: .venv/installed .tools/sam/installed .tools/checkov/installed ## ruff, lock files, mypy, pyright, import rules, template
	@$(BIN)/python -m tools.lint

.PHONY: provider
provider: .venv/installed ## write the skeleton of one more provider: make provider NAME=activity
	@$(BIN)/python -m tools.new_provider "$(NAME)"

.PHONY: format
format: .venv/installed ## format the code, mend what ruff can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: lock
lock: .venv/installed ## compile the lock files from pyproject.toml (UPGRADE=1: newest versions)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tools.lock $(if $(UPGRADE),--upgrade)

.PHONY: clean
clean: ## remove everything that make made
	rm -rf .venv .tools .fuzz .aws-sam build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
	find console functions layers tests tools verifier -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: requirements-dev.txt
	$(call install,.venv)

.tools/sam/installed: tools/requirements-sam.txt
	$(call install,.tools/sam)

.tools/checkov/installed: tools/requirements-checkov.txt
	$(call install,.tools/checkov)

# The functions run in ministack's own interpreter, so this one is 3.13 too.
.tools/ministack/installed: tools/requirements-ministack.txt
	$(call install,.tools/ministack)

# What `make bench` measures the archive beside.
.tools/dlt/installed: tools/requirements-dlt.txt
	$(call install,.tools/dlt)

.tools/grove/installed: tools/requirements-grove.txt
	$(call install,.tools/grove)

# Added to the path of .venv's interpreter, for `make fuzz` alone.
.tools/fuzz/installed: tools/requirements-fuzz.txt
	$(call install,.tools/fuzz)
