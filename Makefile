# `make demo` and `make test` are all that a new user needs; both run the set-up first if it is missing.
PYTHON ?= python3
PY := .venv/bin/python
# `uv` sets up and is pinned here; everything else is pinned, with hashes, in requirements.lock.
UV_VERSION := 0.13.9

# With either of these set, Python would not import our folder `platform` first (docs/log.md).
unexport PYTHONSAFEPATH PYTHONPATH
# Keeps albumentations from checking the network for a newer version.
export NO_ALBUMENTATIONS_UPDATE := 1

.PHONY: help setup demo smoke test test-all lint lock cluster-source clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: .venv/.complete ## create .venv with everything in requirements.lock

.venv/.complete: requirements.lock
	@test ! -L .venv || { echo "setup must not follow a link, but .venv is one: the folder that it points to" \
		"($$(readlink .venv)) would be emptied. Remove the link, and make setup makes a .venv here."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11 to 3.13 is needed, but $(PYTHON) is another; pass PYTHON=python3.12 (for example)."; exit 2; }
	@echo "Setting up .venv (about 6 GB with torch; the first time only) ..."
	$(PYTHON) -m venv --clear .venv
	$(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	.venv/bin/uv pip install --quiet --compile-bytecode --python $(PY) --require-hashes -r requirements.lock
	@touch $@

demo: setup ## on synthetic faces: search, ten folds, baselines, mask transfer, table (minutes)
	$(PY) -m platform.tune --dataset synthetic --preset quick

smoke: setup ## the same at test size, in build/smoke
	$(PY) -m platform.tune --dataset synthetic --preset smoke --runs build/smoke/runs --data-root build/smoke/data

test: lint ## lint, then all tests that are neither slow nor need a GPU
	$(PY) -m pytest -m "not slow and not gpu"

test-all: lint ## lint, then all tests (GPU tests are skipped without a GPU)
	$(PY) -m pytest

lint: setup ## ruff (rules and format) and mypy
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

lock: ## update requirements.lock from pyproject.toml
	.venv/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --quiet -o requirements.lock

cluster-source: ## copy the checkout's files to build/cluster-source for ray_cluster.yaml
	rm -rf build/cluster-source
	mkdir -p build/cluster-source
	git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -xf - -C build/cluster-source
	@# The nodes have no git: manifests take the commit, and a line for each changed file, from this file.
	@! git rev-parse -q --verify HEAD >/dev/null || { git rev-parse HEAD; git status --porcelain -- \
		platform datasets search_spaces requirements.lock; } > build/cluster-source/COMMIT

clean: ## remove caches and build/; keep data, runs and .venv
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
