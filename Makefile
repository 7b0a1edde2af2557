# Token-x on one machine. `make demo` shows the product, `make test` tests it; both install what they need, into this folder
# and ~/.cache/tokenx only. Needed beforehand: Python 3.11 or newer, a C compiler, make. Steps that are done are not done again.

VENV    := .venv
PY      := $(VENV)/bin/python
UV      := $(VENV)/bin/uv
TOKENX  := $(PY) -m tokenx_cli
NPM     := $(PY) -m tokenx_cli.runtime.npm
INSTALL := $(UV) pip install --python $(PY) --quiet
DONE    := .cache/make
PYTEST  := $(PY) -m pytest
PACKAGES := matcher_core tokenx_common tokenx_api tokenx_chain tokenx_matcher tokenx_kyt tokenx_cli
BOOK    := setup.py pyproject.toml $(wildcard matcher_core/*.p* matcher_core/include/*.h)
CLIB    := build/clib/libmatcher_core.so
FUZZ_SECONDS := 600
SOL     := contracts/build.mjs contracts/package-lock.json $(shell find contracts/src -type f 2>/dev/null)
WEB     := $(shell find frontend/src frontend/public frontend/scripts frontend/*.json frontend/*.mjs frontend/next.config.ts -type f 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-fast test-debug check format up down bench clib fuzz fuzz-corpus openapi setup setup-dev npm contracts web temporal temporal-behind lock doctor clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: setup temporal-behind contracts web temporal ## install everything, start the product and do the main job once
	$(TOKENX) demo

up: setup temporal-behind contracts web temporal ## start the product here, with prefixed logs, until Ctrl-C
	$(TOKENX) up

down: setup ## stop it
	$(TOKENX) down

test: setup-dev temporal-behind contracts web temporal ## every test: quick ones first, then real servers, journeys, faults, browser
	$(PYTEST)
	$(NPM) frontend run check
	$(NPM) frontend test

test-fast: setup-dev ## only the tests that start no server
	$(PYTEST) -m "not stack and not flow and not fault and not browser"

test-debug: setup-dev ## the order book's tests on a build with bounds checks, assertions and leak counters
	rm -rf .cache/debug && mkdir -p .cache/debug
	git ls-files -z matcher_core tests setup.py pyproject.toml README.md LICENSE | xargs -0 cp --parents -t .cache/debug
	cd .cache/debug && TOKENX_DEBUG_BUILD=1 $(CURDIR)/$(PY) setup.py --quiet build_ext --inplace && $(CURDIR)/$(PYTEST) tests/core --ignore tests/core/test_packaging.py --ignore tests/core/test_c_api.py

check: setup-dev ## style, types and import rules, in under a minute
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --verbose
	$(VENV)/bin/pyright

format: setup-dev ## put the Python code into the house format
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: setup-dev temporal-behind contracts temporal ## measure the order book, the matcher's latency, durable orders through REST, mined transactions and gas
	$(PYTEST) benchmarks --benchmark-only
	$(PY) -m benchmarks.bench_matcher_latency
	$(PY) -m benchmarks.bench_orders_rest
	$(PY) -m benchmarks.bench_chain
	$(PY) -m benchmarks.bench_gas

clib: setup-dev $(CLIB) ## the order book as a C library without Python, in build/clib
$(CLIB): $(BOOK) $(wildcard clib/*)
	$(PY) -m clib.build --out $(@D)

fuzz: setup-dev ## look for inputs that break the order book (FUZZ_SECONDS=600); needs clang
	$(PY) -m fuzz.run --seconds $(FUZZ_SECONDS)

fuzz-corpus: setup-dev ## make the fuzzers' corpus anew, from the rule tests and a seed
	$(PY) -m fuzz.corpus

openapi: setup contracts ## write docs/openapi from the services as they are
	$(TOKENX) up --detach --no-web --ports auto --data .cache/openapi-stack
	$(TOKENX) openapi --data .cache/openapi-stack; status=$$?; $(TOKENX) reset --yes --data .cache/openapi-stack; exit $$status

doctor: setup ## what is here, what is missing, what to do about it
	@$(TOKENX) doctor

# --- Python ---------------------------------------------------------------------------------------------------------

setup: $(DONE)/stack $(DONE)/book ## the Python side of the product
setup-dev: $(DONE)/dev $(DONE)/book ## and what tests and checks need

$(UV): requirements/uv.txt
	@command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || \
	  { echo "A C compiler is needed for the order book: install gcc or clang." >&2; exit 1; }
	@found=; for p in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	   if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$p; break; fi; done; \
	 [ -n "$$found" ] || { echo "Python 3.11 or newer is needed, and none was found: install one, or say make PYTHON=/path/to/python3." >&2; exit 1; }; \
	 [ -x $(PY) ] || "$$found" -m venv $(VENV) || { echo "Python's venv module is needed (Debian: python3-venv)." >&2; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(DONE)/stack: $(UV) requirements/stack.txt
	$(INSTALL) --require-hashes -r requirements/stack.txt
	@mkdir -p $(@D) && touch $@

$(DONE)/dev: $(UV) requirements/dev.txt
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@mkdir -p $(@D) && touch $@ $(DONE)/stack

# Editable, by a plain path entry, so that a new package is importable at once.
$(DONE)/book: $(UV) $(BOOK) | $(DONE)/stack
	$(INSTALL) --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@mkdir -p $(@D) && touch $@

lock: $(UV) ## renew requirements/*.txt from pyproject.toml, and complete the npm lock files
	for row in "dev.txt pyproject.toml --extra dev requirements/build.in" \
	           "stack.txt pyproject.toml --extra stack requirements/build.in -c requirements/dev.txt" \
	           "uv.txt requirements/uv.in"; do set -- $$row; out=$$1; shift; \
	  UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile "$$@" --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-annotate --quiet -o requirements/$$out || exit 1; done
	$(PY) requirements/npm_lock.py contracts frontend

# --- Node.js: contracts, web app -------------------------------------------------------------------------------------

npm: contracts/node_modules/.package-lock.json frontend/node_modules/.package-lock.json ## the npm packages of both

%/node_modules/.package-lock.json: %/package-lock.json | $(DONE)/stack $(DONE)/book
	$(NPM) $* ci --no-audit --no-fund --loglevel=error
	@touch $@

contracts: $(DONE)/contracts ## compile the contracts
$(DONE)/contracts: contracts/node_modules/.package-lock.json $(SOL)
	$(NPM) contracts run build
	@mkdir -p $(@D) && touch $@

web: $(DONE)/web ## build the web app
$(DONE)/web: frontend/node_modules/.package-lock.json $(WEB)
	$(NPM) frontend run build
	@mkdir -p $(@D) && touch $@

# --- Temporal: built once from its Go module, beside the other steps ---------------------------------------------------

temporal-behind: | setup
	@($(PY) -m tokenx_cli.runtime.temporal >/dev/null 2>&1 &)

temporal: | setup ## the Temporal server, unless there is one; without Go the stack runs without it
	@$(PY) -m tokenx_cli.runtime.temporal

clean: ## forget what was built; data of stacks stays (tokenx reset deletes it)
	rm -rf $(DONE) build dist *.egg-info contracts/out frontend/.next matcher_core/*.so matcher_core/*.c
