# One-word commands. `make help` lists them; each one sets up what it needs.
# PYTHON=... chooses the interpreter, JOBS=... the test processes, SYSTEM=1 lets `test` install
# PostgreSQL and Chromium.

BIN := .venv/bin
JOBS ?= 2
DATA ?= build/demo
PORT ?= 8000
PASSWORD ?=
EXAMPLES ?= 5000
# modules of a part that may not be there yet: $(call part,NAME,MODULE,ARGUMENTS)
part = @if [ -e $(subst .,/,$(2)).py ] || [ -e $(subst .,/,$(2))/__main__.py ]; \
	then $(BIN)/python -m $(2) $(3); else echo "$(1): not built yet ($(2))"; fi

# the tests start processes by the hundred: each would compile the whole program anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := check
.PHONY: help setup format lint quick check test demo pictures bench conformance elements laws chaos wheel-test lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv from the locked, hashed dependencies
	@tools/setup

format: setup ## rewrite the code in the house format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lint: setup ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

quick: setup ## unit, integration and golden tests on SQLite, without the slow ones
	$(BIN)/pytest -q -n $(JOBS) --dist worksteal -m "not slow and not postgres and not browser" \
		tests/golden tests/integration tests/unit

check: lint quick ## before each commit: lint, types, import directions, docs, tests; under 3 minutes

test: setup ## the whole suite on every Python found, with PostgreSQL and a browser where possible
	@$(BIN)/python -m tools.suite

demo: setup ## a whole service to look at: DATA=build/demo PORT=8000 PASSWORD= (one for all)
	@exec $(BIN)/python -P -m web.demo --data '$(DATA)' --port '$(PORT)' --password '$(PASSWORD)'

pictures: setup ## take the pictures of docs/pictures anew, with Chromium
	PICTURES=docs/pictures $(BIN)/pytest -q -k pictures tests/browser/test_pages_look.py

bench: setup ## measure; prints a table and writes build/bench.json
	$(call part,bench,tests.bench,$(ARGS))

conformance: setup ## run the public corpora; writes build/conformance.json and docs/conformance.md
	$(call part,conformance,tests.conformance.run,$(ARGS))

elements: setup ## write docs/elements.md from what the tests play; after `make conformance`
	$(call part,elements,tests.conformance.elements,$(ARGS))

laws: setup ## play new random processes beside the reference model: EXAMPLES=5000 for each law
	LAWS_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -q -n $(JOBS) --dist worksteal tests/laws

chaos: setup ## kill processes and databases under load; nothing may be lost or doubled
	$(call part,chaos,tests.chaos,$(ARGS))

wheel-test: setup ## build the wheel and use it from a fresh environment outside the repository
	@$(BIN)/python -m tools.wheel

lock: setup ## resolve the dependencies anew into requirements/*.txt
	@$(BIN)/python -m tools.lock $(ARGS)

clean: ## delete what the targets wrote, environments too
	rm -rf .venv .venvs .venv.lock build dist .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
