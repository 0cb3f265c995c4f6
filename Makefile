# `make reproduce` runs the main job, `make test` the whole gate; both set up .venv from nothing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: reproduce test lint types unit clean

reproduce: .venv/installed
	$(BIN)/meanfield validate --quick
	$(BIN)/python scripts/figure_width.py

test: lint types unit

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

unit: .venv/installed
	$(BIN)/pytest -q -n 2

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[all]'
	touch $@

clean:
	rm -rf .venv
