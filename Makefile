# Tingjian: `make run` starts everything, `make test` checks everything. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV := .venv
BIN := $(VENV)/bin
# Give PYTHON=/path/to/python3.11 to choose one; otherwise the first 3.11 or 3.12 on PATH that really starts.
PYTHON ?=
BENCH ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
SOURCES := ivr speech sync admin tests docs/example_platform $(wildcard benchmarks)

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: models ## set up what is missing, then start the whole of it; Ctrl-C stops it
	@exec $(BIN)/tingjian run

demo: models ## one whole scripted call with real audio, told as a story
	@exec $(BIN)/tingjian demo

setup: models ## only the set-up of `make run`

# --- set-up, in stages; a stamp in the virtual environment says that a stage is done ---
$(VENV)/.made:
	@python=""; \
	for candidate in $(PYTHON) python3.11 python3.12 python3 python; do \
	  if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; \
	  then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Tingjian needs Python 3.11 or 3.12 with venv (on Debian 12: apt install python3 python3-venv)." >&2; \
	  echo "Name one with: make run PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	echo "· making a virtual environment with $$("$$python" --version)"; \
	test -x $(BIN)/python || "$$python" -m venv $(VENV)
	@touch $@

$(VENV)/.base: requirements/base.txt $(VENV)/.made
	@echo "· installing what Tingjian needs (hash-checked; a few minutes the first time)"
	@$(PIP) install --require-hashes -r requirements/base.txt
	@touch $@

$(VENV)/.project: pyproject.toml $(VENV)/.base
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

models: $(VENV)/.project ## the speech models, sha256-checked (TINGJIAN_MODELS= names a folder that has them)
	@$(BIN)/python -m speech.models

$(VENV)/.dev: requirements/dev.txt $(VENV)/.project
	@echo "· installing what the tests need"
	@$(PIP) install --require-hashes -r requirements/base.txt -r requirements/dev.txt
	@touch $@

chromium: ## Debian's Chromium for the browser tests, where it can be installed
	@if command -v chromium >/dev/null; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  echo "· installing Chromium for the browser tests"; \
	  (apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium fonts-noto-cjk) \
	    >/tmp/tingjian-chromium.log 2>&1 || { tail -n 3 /tmp/tingjian-chromium.log; echo "!! Chromium could not be installed: THE BROWSER TESTS WILL BE SKIPPED"; }; \
	else echo "!! no Chromium here and no right to install it: THE BROWSER TESTS WILL BE SKIPPED (apt install chromium)"; fi

sip-phones: ## Debian's baresip and sipp for the tests of the telephone line, where they can be installed
	@if command -v baresip >/dev/null && command -v sipp >/dev/null; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  echo "· installing baresip and sipp for the tests of the telephone line"; \
	  (apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends baresip-core sip-tester) \
	    >/tmp/tingjian-sip-phones.log 2>&1 || { tail -n 3 /tmp/tingjian-sip-phones.log; echo "!! baresip and sipp could not be installed: THE CALLS OF INDEPENDENT PHONES WILL BE SKIPPED"; }; \
	else echo "!! no baresip or sipp here and no right to install them: THE CALLS OF INDEPENDENT PHONES WILL BE SKIPPED (apt install baresip-core sip-tester)"; fi

broker: ## Debian's mosquitto for the tests of the loudspeakers, where it can be installed
	@if command -v mosquitto >/dev/null || test -x /usr/sbin/mosquitto; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  echo "· installing mosquitto for the tests of the loudspeakers"; \
	  (apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends mosquitto) \
	    >/tmp/tingjian-broker.log 2>&1 || { tail -n 3 /tmp/tingjian-broker.log; echo "!! mosquitto could not be installed: THE TESTS WITH A BROKER WILL BE SKIPPED"; }; \
	else echo "!! no mosquitto here and no right to install it: THE TESTS WITH A BROKER WILL BE SKIPPED (apt install mosquitto)"; fi

# --- checks ---
lint: $(VENV)/.dev ## style, types, direction of imports
	$(BIN)/ruff check --no-cache $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(VENV)/.dev models chromium sip-phones broker lint ## everything: lint, types, all tests, the slow ones too
	$(BIN)/python -m pytest -ra -n 4 --dist loadfile --no-loadscope-reorder -m "not realtime"
	$(BIN)/python -m pytest -ra -n 2 --dist loadfile --no-loadscope-reorder -m realtime

quick: $(VENV)/.dev lint ## the developer's subset: no real models, browsers, kills, PostgreSQL
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

bench: $(VENV)/.dev models ## measure; BENCH=web|speech|sync|admin|line|broadcast|private|voice|understand: one
	$(BIN)/python -m benchmarks.run $(BENCH)

screenshots: $(VENV)/.dev chromium ## every page of the desk as a picture, into docs/screenshots
	$(BIN)/python -m tests.admin.screenshots

# Every requirement is pinned with hashes, and no index is named, so that a mirror may serve them.
# uv is only needed here and is installed on demand.
lock: $(VENV)/.base ## compile requirements/*.in into *.txt
	@$(BIN)/python -c 'import uv' 2>/dev/null || $(PIP) install uv
	@for name in base dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links requirements/$$name.in -o requirements/$$name.txt; done

settings: $(VENV)/.project ## write docs/settings.md anew
	@$(BIN)/tingjian settings --markdown > docs/settings.md

clean: ## remove what was built; the records in var/ stay
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help run demo setup models chromium sip-phones broker lint test quick bench screenshots lock settings clean
