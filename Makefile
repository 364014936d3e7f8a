# `make demo` shows what Hybridisco does; `make test` passes all tests. Both set up what they need in .venv.
# Needs: a Debian or Ubuntu machine (or macOS) with Python 3.11 or newer, and make.

SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# Where every test process can have a network of its own (as root), several run at once; most of them wait.
PARALLEL := $(shell unshare --net true 2>/dev/null && echo "-n 3 --dist loadgroup")

.PHONY: help
help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22

.PHONY: demo
demo: $(VENV)/.ready-run ## Start mock backends and a sidecar, show the table, stop
	@$(BIN)/hybridisco demo

.PHONY: test
test: lint peers ## Check everything: style, types, layers, all tests, coverage
	@echo "==> Running the tests (a test that cannot run on this machine says why at the end)"
	@$(BIN)/coverage erase
	$(BIN)/python -m pytest $(PARALLEL) -m "not alone" --ignore=tests/blender --cov --cov-report=term:skip-covered --cov-fail-under=90 $(PYTEST)
	@echo "==> Running those that want the machine for themselves"
	$(BIN)/python -m pytest -m alone --ignore=tests/blender $(PYTEST)

.PHONY: test-blender
test-blender: blenders addon addon-repo ## Check the extension in real Blender: several versions, and a window
	@echo "==> Running the extension in each Blender (one that cannot be had is named at the end)"
	$(BIN)/python -m pytest tests/blender --ignore=tests/blender/window $(PARALLEL) $(PYTEST)
	@echo "==> Running it in a window"
	$(BIN)/python -m pytest tests/blender/window -s $(PYTEST)

SECONDS := 30

.PHONY: fuzz
fuzz: $(VENV)/.ready-dev ## Fuzz what reads foreign bytes, SECONDS=30 a target
	@echo "==> Fuzzing each target for $(SECONDS) s"
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

.PHONY: bench
bench: $(VENV)/.ready-dev ## Measure it against its peers (needs root)
	@echo "==> Measuring$(if $(BENCH),, (half an hour; $(BIN)/python -m bench --help says how to measure less))"
	$(BIN)/python -m bench $(BENCH)

.PHONY: lint
lint: $(VENV)/.ready-dev ## Check style, types and layers
	@echo "==> Checking style, types and layers"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: blenders
blenders: $(VENV)/.ready-dev ## Install the Blenders that tests run in, in your cache folder
	@echo "==> Setting up the Blenders (once; about 5 GB, in the user's cache folder)"
	$(BIN)/python -m tests.blender.rig.setup
	$(BIN)/python -m tests.blender.rig.chroot

.PHONY: peers
peers: $(VENV)/.ready-dev ## Install the real LiteLLM and Gradio that tests talk to, in .peers
	@echo "==> Setting up the real peers in .peers (once; about 1 GB)"
	$(BIN)/python tests/lab/peers/setup.py

.PHONY: addon
addon: $(VENV)/.ready-dev ## Build the Blender extension: dist/hybridisco-<version>.zip
	@echo "==> Building the Blender extension"
	@$(BIN)/python -m blender_addon.packaging build

.PHONY: addon-repo
addon-repo: $(VENV)/.ready-dev ## Build it with a repository that Blender can update it from: dist/addon-repo
	@echo "==> Building the Blender extension and its repository"
	@$(BIN)/python -m blender_addon.packaging repo

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf $(VENV) .peers dist build .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.ready-run: pyproject.toml | $(VENV)/bin/pip
	@echo "==> Installing Hybridisco into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[trust]'
	@touch $@

$(VENV)/.ready-dev: pyproject.toml | $(VENV)/bin/pip
	@echo "==> Installing Hybridisco and its development tools into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.ready-run

# Debian splits the part of venv that brings pip into a package of its own; it is installed where that is allowed.
$(VENV)/bin/pip:
	@set -e; \
	for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Hybridisco needs Python 3.11 or newer, and none was found. Install it, or say where: make PYTHON=/path/to/python"; \
	    exit 1; \
	fi; \
	echo "==> Making a virtual environment in $(VENV) with `$$found --version`"; \
	if ! $$found -c 'import ensurepip' 2>/dev/null; then \
	    package=python`$$found -c 'import sys; print("%d.%d" % sys.version_info[:2])'`-venv; \
	    sudo=; [ `id -u` = 0 ] || sudo="sudo -n"; \
	    echo "==> Installing the Debian package $$package, which brings pip"; \
	    $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$package >/dev/null || { \
	        echo "That did not work. Run: sudo apt install $$package"; exit 1; }; \
	fi; \
	rm -rf $(VENV); $$found -m venv $(VENV)
