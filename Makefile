# A fresh machine needs only Python 3.11 or newer and a package index.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
INSTALLED := $(VENV)/.installed
SCENARIO ?= system-outage

# The demo and the tests start hundreds of processes: let them share the first one's bytecode.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check iam policies long e2e bench format clean

demo: $(INSTALLED)
	$(BIN)/incident demo --scenario $(SCENARIO)

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 4 --dist loadgroup
	@echo "Left out: what takes minutes: upkeep, releases, restoring, recovery tests, silence that workers end, some attacks, the wheel and benchmarks (make long)"
	@echo "Left out: policies tried with their conditions by iam-simulate, which needs Node (make policies)"

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

iam: $(INSTALLED)
	$(BIN)/python -m deploy.policies $(if $(ENVIRONMENT),--environment $(ENVIRONMENT))
	$(if $(ENVIRONMENT),,$(BIN)/python -m tests.permissions.picture)

policies: $(INSTALLED)
	npm --prefix tests/permissions/node ci --silent
	$(BIN)/python -m tests.permissions.simulate

long: $(INSTALLED)
	$(BIN)/python -m pytest -m long
	$(BIN)/incident demo --scenario all

e2e: $(INSTALLED)
	$(BIN)/python -m pytest -n 4 --dist loadgroup -m "e2e and not long" tests/e2e

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) "pip>=26" # the bundled one takes twice as long for the rest
	$(PIP) --no-compile --no-deps -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -qq -j 0 -x '/(pip|setuptools|mypy|mypyc|fontTools|sympy|networkx|cfnlint)/' $(VENV)/lib # or every process compiles it again
	@touch $(INSTALLED)

clean:
	rm -rf $(VENV) build dist *.egg-info tests/permissions/node/node_modules .mypy_cache .ruff_cache .pytest_cache
