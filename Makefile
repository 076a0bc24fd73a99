# holdfast: `make demo` shows what it does, `make test` proves it. Both set up everything they need.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet
SLOTS  ?= 2

.PHONY: demo test test-long bench lint requirements setup clean help

help:
	@echo "make demo       set up, run the demo trial and a real one, write both reports"
	@echo "make test       set up, run all tests"
	@echo "make test-long  the checks that take minutes"
	@echo "make bench      measure speed against what is installed"
	@echo "make lint       ruff, mypy, import contracts"

demo: $(VENV)/demo.stamp
	$(BIN)/holdfast demo

test: $(VENV)/test.stamp debian
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(SLOTS) --dist loadfile $(PYTEST)

test-long: $(VENV)/test.stamp debian
	$(BIN)/python -m pytest -m long $(PYTEST)

bench: $(VENV)/test.stamp
	for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

lint: $(VENV)/test.stamp
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

setup: $(VENV)/test.stamp

# Debian's venv may lack ensurepip, so the machine's own pip fills a bare environment.
$(BIN)/python:
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/demo.stamp: requirements/demo.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --requirement requirements/demo.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/test.stamp: requirements/test.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --requirement requirements/test.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

.PHONY: debian
debian:
	@sh scripts/debian-packages.sh

# uv must be on the path; what it writes holds hashes and no address.
COMPILE := uv pip compile pyproject.toml --group build --generate-hashes --no-emit-index-url --no-emit-find-links \
	--universal --python-version 3.11 --no-header --quiet
requirements:
	$(COMPILE) --extra demo --output-file requirements/demo.txt
	$(COMPILE) --extra demo --extra fast --extra postgres --group test --constraint requirements/demo.txt \
		--output-file requirements/test.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-output
