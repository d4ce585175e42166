# Commands for developers. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
# Real engines on a busy machine fail now and then: a failed integration test is repeated up to twice, and reported as RERUN.
AGAIN := --reruns 2 --reruns-delay 1

.DEFAULT_GOAL := help
.PHONY: help demo test unit unit-lowest integration lint format types bench soak fuzz package audit docs engine engine-down clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.ready ## build an image, run a container, follow its logs and copy its files, on a real engine
	@$(BIN)/python examples/demo.py

test: $(VENV)/.ready ## run all tests, on every engine that this machine can run
	$(BIN)/python -m pytest -n 3 $(AGAIN) --hypothesis-profile=thorough --api-coverage 95 tests/unit tests/integration

unit: $(VENV)/.ready ## run the tests that need no engine, and check their coverage
	$(BIN)/python -m pytest -n 3 --dist worksteal --hypothesis-profile=quick \
		--cov=dockerkit --cov-branch --cov-report=json:.coverage.json tests/unit
	$(BIN)/python scripts/check_coverage.py .coverage.json

unit-lowest: $(LOWEST)/.ready ## the same with the lowest versions of the dependencies
	$(LOWEST)/bin/python -m pytest -n 3 --dist worksteal -p no:cacheprovider --hypothesis-profile=quick tests/unit

integration: $(VENV)/.ready ## run the tests on real engines (ENGINES="trixie sid" for some of them)
	$(BIN)/python -m pytest -n 3 $(AGAIN) --hypothesis-profile=thorough tests/integration $(addprefix --engine ,$(ENGINES))

lint: $(VENV)/.ready ## check style, formatting and the layers of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: $(VENV)/.ready ## format the code
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

types: $(VENV)/.ready ## check the types, with mypy and pyright
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini
	$(BIN)/pyright
	$(BIN)/python scripts/check_types.py

bench: $(VENV)-bench/.ready ## compare with docker-py and others, and write docs/benchmarks.md
	$(VENV)-bench/bin/python -m benchmarks.run --write

soak: $(VENV)/.ready ## stress a real engine for half an hour, with threads and forks
	$(BIN)/python -m benchmarks.soak

fuzz: $(VENV)-fuzz/.ready ## fuzz the parsers for an hour, guided by coverage
	$(VENV)-fuzz/bin/python -m fuzz.run

package: $(VENV)-package/.ready ## build wheel and sdist, and try them in fresh environments
	$(VENV)-package/bin/python scripts/check_package.py

audit: $(VENV)-audit/.ready ## check dependencies for known vulnerabilities, and write dist/sbom.json
	$(VENV)-audit/bin/python scripts/audit.py

docs: $(VENV)/.ready ## build the documentation into site/
	$(BIN)/python -m mkdocs build --strict

engine: ## start private engines and keep them running (ENGINES="trixie" for some); see engine-down
	$(PYTHON) scripts/engine.py up $(ENGINES)
	$(PYTHON) scripts/engine.py registry up
	$(PYTHON) scripts/engine.py status

engine-down: ## stop the private engines and registries
	$(PYTHON) scripts/engine.py down $(ENGINES)

clean: ## remove generated files (the engines' roots stay in their cache folder)
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
