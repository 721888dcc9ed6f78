# Targets are what a person types; everything that they need is made on the way.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOCK   := requirements/dev.lock
STAMP  := $(VENV)/.installed
# Test processes.
WORKERS ?= 2
# How many times the examples of `make test` the long form tries, and how long each parser is fuzzed.
FUZZ ?= 20
SECONDS ?= 60
# How long the soak lasts.
MINUTES ?= 10
# Rounds of faults on each store.
ROUNDS ?= 200
# Bytecode is kept: programs that tests start hundreds of times are not compiled each time.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run test conformance fuzz faults bench bench-peers soak check format wire docs lock clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): $(LOCK) pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked dependencies into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP) ## create .venv and install exact versions

run: setup ## the demonstration network, until Ctrl-C (ONCE=1: ends by itself)
	@$(BIN)/luxor demo $(if $(ONCE),--once)

test: setup ## every test, in its short form
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

conformance: setup ## published suites and counted promises: n of N each, figures, waivers
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m conformance --conformance

fuzz: setup ## every parser under a fuzzer (SECONDS=60 each), then garbage and laws (FUZZ=20 times)
	@$(BIN)/python -m tests.fuzz.round --seconds $(SECONDS)
	@LUXOR_FUZZ=$(FUZZ) $(BIN)/python -m pytest -q -n $(WORKERS) --dist load -m fuzz

faults: setup ## kill -9 of everything under load, on each store (ROUNDS=200)
	@$(BIN)/python -m tests.faults --rounds $(ROUNDS)

bench: setup ## what things cost, as ratios of one run: ten minutes (QUICK=1: two; FULL=1: a million messages; ONLY=layouts)
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(FULL),--full) $(addprefix --only ,$(ONLY))

bench-peers: setup ## Node-RED, spyne and django-pyas2 beside the gateway (QUICK=1: quicker); needs npm
	@$(BIN)/python -m bench.peers $(if $(QUICK),--quick)

soak: setup ## minutes at 70 % of the highest rate: is everything flat? (MINUTES=10, RATE=200: not 70 %)
	@$(BIN)/python -m bench.soak --minutes $(MINUTES) $(if $(RATE),--rate $(RATE))

check: setup ## format, lint, types, import contracts, freshness of generated code
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python proto/generate.py --check

format: setup ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

wire: setup ## generate translators/wire from proto/
	@$(BIN)/python proto/generate.py

docs: setup ## generate the pages of formats and codes in docs/
	@$(BIN)/luxor codes --markdown > docs/faults.md
	@for f in $$($(BIN)/python -c 'from translators.registry import standard; print(*(t.id for t in standard()))'); do \
		$(BIN)/luxor formats $$f > docs/formats/$$f.md; done

lock: ## resolve the bounds of pyproject.toml to exact versions
	@test -x $(BIN)/uv || $(MAKE) setup  # a lock that is out of date must not stand in its own way
	@$(BIN)/uv pip compile --quiet pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade --output-file requirements/dev.lock
	@$(BIN)/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade --output-file requirements/run.lock

clean: ## remove what was generated or installed
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
