# The targets that people use. `make help` lists them; what each needs on a fresh machine is set up on the way, once, under
# target/setup (a file there says that a step is done; `rm -r target/setup` does them all again).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PREFIX ?= /usr/local
SETUP := target/setup
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help demo test bench install dist

help: ## Lists the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bench: $(SETUP)/peers ## Measures ours and the peers, interleaved; ONLY=H1 runs a part. Fails when a stated limit is missed.
	python3 tests/bench/run.py --only "$(ONLY)"

# Tests: each part can be run alone.
.PHONY: test-rust test-doc test-loom

test: test-rust test-doc test-loom ## Runs every test.

test-rust:
	cargo nextest run --workspace

test-doc:
	cargo test --workspace --doc --quiet

test-loom:
	RUSTFLAGS="--cfg loom" cargo nextest run --package knhk-hot --release --target-dir target/loom

# Debian packages, only where nothing else serves: liburcu is a peer of the benchmarks. Without it they say what they skip, and fail.
$(SETUP)/peers:
	@mkdir -p $(@D)
	@if dpkg --status liburcu-dev >/dev/null 2>&1; then touch $@; \
	elif ! command -v apt-get >/dev/null; then echo "set-up: liburcu-dev is missing and there is no apt-get: its rows are skipped"; \
	else echo "set-up: installing the Debian package liburcu-dev"; \
	    if $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends liburcu-dev >/dev/null; then touch $@; \
	    else echo "set-up: apt-get refused: liburcu's rows are skipped"; fi; fi

-include packaging.mk
