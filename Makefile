# Everything a developer types. `make` alone lists it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
# Real engines on a busy machine have bad moments: what fails is tried twice more, and named as RERUN in the summary.
AGAIN := --reruns 2 --reruns-delay 1

.DEFAULT_GOAL := help
.PHONY: help demo test unit unit-lowest integration lint format types bench soak fuzz package audit docs engine engine-down clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.ready ## see dockerkit build, run, watch, enter, copy from and stop a real container
	@$(BIN)/python examples/demo.py

test: $(VENV)/.ready ## run all tests, on every engine that this machine can run
	$(BIN)/python -m pytest -n 3 $(AGAIN) --hypothesis-profile=thorough --api-coverage 95 tests/unit tests/integration

unit: $(VENV)/.ready ## run the tests that need no engine
	$(BIN)/python -m pytest -n 3 --dist worksteal --hypothesis-profile=quick tests/unit

unit-lowest: $(LOWEST)/.ready ## the same with the lowest versions of the dependencies
	$(LOWEST)/bin/python -m pytest -n 3 --dist worksteal -p no:cacheprovider --hypothesis-profile=quick tests/unit

integration: $(VENV)/.ready ## run the tests on real engines (ENGINES="trixie sid" for some of them)
	$(BIN)/python -m pytest -n 3 $(AGAIN) --hypothesis-profile=thorough tests/integration $(addprefix --engine ,$(ENGINES))

lint: $(VENV)/.ready ## look for mistakes and for unformatted code
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(VENV)/.ready ## put the code in shape
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

types: $(VENV)/.ready ## check the types, with mypy and pyright
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/python scripts/check_types.py

bench: $(VENV)-bench/.ready ## measure against docker-py, and write docs/benchmarks.md
	$(VENV)-bench/bin/python -m benchmarks.run --write

soak: $(VENV)/.ready ## work an engine hard for half an hour, with threads and forks
	$(BIN)/python -m benchmarks.soak

fuzz: $(VENV)-fuzz/.ready ## feed the parsers what a coverage-guided fuzzer thinks of, for an hour
	$(VENV)-fuzz/bin/python -m fuzz.run

package: $(VENV)-package/.ready ## build wheel and sdist, and try them in fresh environments
	$(VENV)-package/bin/python scripts/check_package.py

audit: $(VENV)-audit/.ready ## known holes in what we depend on, and a bill of materials (dist/sbom.json)
	$(VENV)-audit/bin/python scripts/audit.py

docs: $(VENV)/.ready ## build the documentation into site/
	$(BIN)/python -m mkdocs build --strict

engine: ## bring private engines up and leave them running (ENGINES="trixie" for some); see also engine-down
	$(PYTHON) scripts/engine.py up $(ENGINES)
	$(PYTHON) scripts/engine.py registry up
	$(PYTHON) scripts/engine.py status

engine-down: ## take the private engines and registries down
	$(PYTHON) scripts/engine.py down $(ENGINES)

clean: ## remove what was made here (the engines' roots stay in their cache folder)
	rm -rf $(VENV) $(LOWEST) site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.ready: pyproject.toml scripts/venv.sh
	@sh scripts/venv.sh $(PYTHON) $(VENV) --group dev -e '.[all]'
	@touch $@

$(VENV)-%/.ready: pyproject.toml scripts/venv.sh
	@sh scripts/venv.sh $(PYTHON) $(VENV)-$* --group $* -e '.[all]'
	@touch $@

$(LOWEST)/.ready: pyproject.toml scripts/venv.sh scripts/lowest.py
	@sh scripts/venv.sh $(PYTHON) $(LOWEST) --group test -e '.[all]' $$($(PYTHON) scripts/lowest.py)
	@touch $@
