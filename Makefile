# Two commands do all the set-up: `make run` and `make test`. PYTHON and ARGS may be given, as in
# `make run ARGS="--trials 100"`.
PYTHON ?= python3
VENV ?= .venv
SPACE ?= parameter_golf
ARGS ?=
BIN = $(VENV)/bin
# One thread a process: trials bring the parallelism, and threads of two trials on one core slow both down.
export OMP_NUM_THREADS ?= 1

.PHONY: run test lint types unit docs audit-dependencies clean

run: $(VENV)/installed
	$(BIN)/python -m tuner.run --space $(SPACE) $(ARGS)

# mypy works beside the tests, which now and then wait. Each process of the tests loads what an earlier one has compiled.
test: lint
	$(MAKE) --jobs=2 types unit

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-test
	$(BIN)/mypy

unit: export PYTHONDONTWRITEBYTECODE =
unit: $(VENV)/installed-test
	$(BIN)/python -m pytest -q

# Builds docs/ as a site in build/docs; a link to nowhere, a missing heading or a page outside the contents fails it.
docs: $(VENV)/installed-docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -E -a -c docs -d build/doctrees . build/docs
	@echo "open build/docs/index.html"

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-test: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $(VENV)/installed $@

$(VENV)/installed-docs: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	touch $@

# Asks PyPI's database of vulnerabilities about every pinned version, from an environment of its own; fails where it cannot.
audit-dependencies: $(VENV)/audit/installed
	$(VENV)/audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict --progress-spinner off

$(VENV)/audit/installed:
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build *.egg-info
