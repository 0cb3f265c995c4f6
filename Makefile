# `make reproduce` runs the main job, `make test` the whole gate, `make benchmark` measures speed
# beside the peers, `make fuzz` tries properties on random input for about an hour; all set up .venv
# from nothing.
PYTHON ?= python3
BIN := .venv/bin
BENCHMARKS := $(filter-out scripts/benchmarks/figure_%,$(wildcard scripts/benchmarks/*.py))
PEERS := $(patsubst scripts/benchmarks/peers/%.txt,.peers/%/installed,\
	$(wildcard scripts/benchmarks/peers/*.txt))

.PHONY: reproduce benchmark test lint types unit fuzz dist-test test-matrix clean

reproduce: .venv/installed
	$(BIN)/meanfield reproduce --quick

benchmark: .venv/installed $(PEERS)
	set -e; for script in $(BENCHMARKS); do $(BIN)/python $$script; done

test: lint
	$(MAKE) --no-print-directory --jobs 2 types unit

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

# Tests mostly compile: without these emitters in half the time, to the same bits.
unit: export XLA_FLAGS := --xla_cpu_use_fusion_emitters=false
unit: .venv/installed
	$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder

# The same properties that `unit` tries on a few examples, on others every time.
fuzz: export XLA_FLAGS := --xla_cpu_use_fusion_emitters=false
fuzz: export MEANFIELD_FUZZ := 1
fuzz: .venv/installed
	$(BIN)/pytest -q tests/properties

# The wheel and the sdist, used where nothing else is.
dist-test:
	$(PYTHON) scripts/packaging/distribution.py

# Oldest and newest requirements, every Python of this machine; TESTS=tests for all of the tests.
test-matrix:
	$(PYTHON) scripts/packaging/matrix.py $(TESTS)

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable '.[all,test]'
	touch $@  # Python compiles what is imported: half the time of an installation saved

# Every peer has its own environment: their requirements exclude one another's, and ours. One that
# does not install here is left out.
.peers/%/installed: scripts/benchmarks/peers/%.txt
	rm -rf .peers/$*
	$(PYTHON) -m venv .peers/$*
	.peers/$*/bin/pip install --quiet --requirement $< || rm -rf .peers/$*/bin
	touch $@

clean:
	rm -rf .venv .peers .matrix
