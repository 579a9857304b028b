# `make` lists what there is. Settings of the demo: `.venv/bin/python -m deploy.local --help`.
.DEFAULT_GOAL := help
.PHONY: help setup demo up down doctor test check bench chaos clean

PYTHON_BIN := .venv/bin
# The processes are the parallelism; threads of linear algebra only disturb them.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/stamp ## make .venv from constraints.txt; nothing where it is up to date

.venv/stamp: pyproject.toml constraints.txt
	@deploy/local/setup.sh

demo: setup ## start everything, post tickets, show a live table (DEMO_SECONDS=60: ends by itself)
	@$(PYTHON_BIN)/python -m deploy.local demo

up: setup ## start everything without the simulator, until Ctrl-C
	@$(PYTHON_BIN)/python -m deploy.local up

down: setup ## stop what runs in another terminal
	@$(PYTHON_BIN)/python -m deploy.local down

doctor: setup ## say what this machine has and what is missing
	@$(PYTHON_BIN)/python -m deploy.local doctor

check: setup ## linters, types, import rules
	$(PYTHON_BIN)/ruff check .
	$(PYTHON_BIN)/ruff format --check .
	$(PYTHON_BIN)/mypy
	$(PYTHON_BIN)/lint-imports

test: check ## everything, on a real broker and Valkey (ARGS="-k name" for some, "-n 0" in one process)
	$(PYTHON_BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

bench: setup ## measure against the baselines; writes build/bench.json
	$(PYTHON_BIN)/python -m bench

chaos: setup ## kill things at random and count what is left
	$(PYTHON_BIN)/python -m tests.chaos $(ARGS)

clean: ## remove what runs, tests and builds left; .venv stays
	rm -rf .local build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
