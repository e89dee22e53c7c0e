# The targets that people use. `make help` lists them; what each needs on a fresh machine is set up on the way, once, under
# target/setup (a file there says that a step is done; `rm -r target/setup` does them all again).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PREFIX ?= /usr/local
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
LIB := $(TARGET)/release
SETUP := target/setup
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
PYTHON := .venv/bin/python
NODE := bindings/node

.PHONY: help demo study test bench install dist
help: ## Lists the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What is built: the libraries of C and C++, the packages of Python and Node.
.PHONY: lib python node
lib: library ## Builds libknhk, shared and static.
	@ln -sf libknhk.so $(LIB)/libknhk.so.1

python: $(SETUP)/python ## Builds the Python package into .venv.
	VIRTUAL_ENV=$(abspath .venv) .venv/bin/maturin develop --quiet --release --manifest-path bindings/python/Cargo.toml

node: $(SETUP)/node ## Builds the Node package in bindings/node.
	npm run --silent build --prefix $(NODE)

# The demonstration: a request gateway under load and faults, whose limits the loop moves; a report, and its proof. See docs/demo.md.
GATEWAY := $(wildcard examples/gateway/*.c)
ADMISSION := $(wildcard examples/admission/c/*.c)
ADMISSION_CPP := $(wildcard examples/admission/cpp/*.cpp)
IN_TREE = -Iinclude -L$(LIB) -lknhk -Wl,-rpath,$(LIB) -lpthread
SEED ?= 1
PAIRS ?= 5

demo: target/demo/gateway command ## A gateway under load and faults learns its limits, and proves what it did; under two minutes.
	@rm -rf target/demo/run target/demo/run.json
	@target/demo/gateway --arm loop --seed $(SEED) --folder target/demo/run --out target/demo/run.json
	@$(LIB)/knhk --dir target/demo/run verify | tee target/demo/verified.txt
	@python3 examples/gateway/report.py target/demo/run.json target/demo/report.html target/demo/verified.txt
	@echo "  target/demo/report.html"

study: target/demo/gateway ## The gateway with static limits, with the adaptive limiter, and with the loop: PAIRS paired runs, half an hour for five.
	@rm -rf target/study
	@python3 examples/gateway/study.py target/demo/gateway target/study --pairs $(PAIRS)

target/demo/gateway: $(GATEWAY) $(wildcard examples/gateway/*.h include/*) | lib
	@mkdir -p $(@D)
	gcc -std=gnu11 -O2 -Wall -Wextra -o $@ $(GATEWAY) $(IN_TREE) -lm

target/demo/admission: $(ADMISSION) $(wildcard examples/admission/c/*.h include/*) | lib
	@mkdir -p $(@D)
	gcc -std=gnu11 -O2 -Wall -Wextra -o $@ $(ADMISSION) $(IN_TREE)

target/demo/admission-cpp: $(ADMISSION_CPP) $(wildcard examples/admission/cpp/*.hpp include/*) | lib
	@mkdir -p $(@D)
	g++ -std=c++17 -O2 -Wall -Wextra -o $@ $(ADMISSION_CPP) $(IN_TREE)

target/demo/resilience: examples/resilience/c/flaky.c $(wildcard include/*) | lib
	@mkdir -p $(@D)
	gcc -std=gnu11 -O2 -Wall -Wextra -o $@ $< $(IN_TREE)

target/demo/loop: examples/loop/c/upstream.c $(wildcard include/*) | lib
	@mkdir -p $(@D)
	gcc -std=gnu11 -O2 -Wall -Wextra -o $@ $< $(IN_TREE)

bench: $(SETUP)/peers python node ## Measures ours and the peers, interleaved; ONLY=H1 runs a part. Fails when a stated limit is missed.
	@$(MAKE) --no-print-directory install PREFIX=$(CURDIR)/target/bench/prefix
	python3 tests/bench/run.py --only "$(ONLY)"

# Tests: each part can be run alone. The C and C++ tests are among those of Rust, which compile and run them.
.PHONY: test-rust test-doc test-loom test-python test-node test-readme test-examples test-receipts
test: test-rust test-doc test-loom test-python test-node test-readme test-examples test-receipts test-install ## Runs every test.

test-rust: $(SETUP)/c-tools $(SETUP)/node
	cargo nextest run --workspace

test-doc:
	cargo test --workspace --doc --quiet

test-loom:
	RUSTFLAGS="--cfg loom" cargo nextest run --package knhk-hot --release --test loom --target-dir $(TARGET)/loom
	RUSTFLAGS="--cfg loom" cargo nextest run --package knhk-resilience --release --test loom --target-dir $(TARGET)/loom
	RUSTFLAGS="--cfg loom" cargo nextest run --package knhk-warm --release --test loom --target-dir $(TARGET)/loom

test-python: python
	cd bindings/python && ../../$(PYTHON) -m pytest --quiet
	cd bindings/python && ../../$(PYTHON) -m mypy

test-node: node
	npm test --silent --prefix $(NODE)

test-readme: lib python node
	KNHK_LIB=$(LIB) $(PYTHON) tests/readme/run.py

# A log's receipts, verified in Python with pycose, cwt and cbor2 and nothing of ours.
test-receipts: $(SETUP)/receipts python
	rm -rf target/receipts
	cargo run --quiet --package knhk-ledger --example sample -- target/receipts
	$(PYTHON) tests/receipts/verify.py target/receipts
	$(PYTHON) tests/receipts/engine.py

$(SETUP)/receipts: $(SETUP)/python
	@echo "set-up: pycose, cwt and cbor2 in .venv"
	@.venv/bin/pip install --quiet --disable-pip-version-check 'cbor2>=5.6' 'cwt>=3.3,<4' 'pycose>=1.1,<2'
	@touch $@

# Long proofs, beside the short ones of `make test`: a billion reads, then a planted fault of each kind, which must be found.
.PHONY: soak
soak: ## Reads a billion times while everything changes, looks for planted faults, and kills the store and the engine 500 times each.
	cargo run --release --package knhk-hot --example soak -- --reads 1e9
	cargo run --release --package knhk-hot --example soak --features mutants -- --reads 1e10 --seconds 60 --mutant all
	KNHK_KILL_ROUNDS=500 cargo nextest run --release --package knhk-store --no-capture a_kill_at_any_moment_loses_nothing
	KNHK_KILL_ROUNDS=500 cargo nextest run --release --package knhk-engine --no-capture what_was_acknowledged_survives_kill_9
	KNHK_KILL_ROUNDS=500 cargo nextest run --release --package knhk-engine --no-capture a_kill_at_any_moment_leaves_all_or_nothing
	KNHK_SOAK_READS=1e8 cargo nextest run --release --package knhk-engine --no-capture no_reader_sees_a_mix_of_two_generations
	KNHK_KILL_ROUNDS=200 cargo nextest run --package knhk-resilience --no-capture a_kill_at_any_moment_leaves_a_good_one

# The mean time between failures of a simulated service over 10,000 hours of injected faults, with and without policies; each seed is printed.
.PHONY: simulate
simulate: ## Simulates a service over 10,000 hours of faults with and without policies, for SEEDS seeds.
	KNHK_SEEDS=$(or $(SEEDS),20) cargo nextest run --release --package knhk-resilience --no-capture policies_make_failures_rare

# Observations through to the disk, at a rate for a time; without a rate, the highest that holds. Everything kept is compared with what was made.
.PHONY: soak-observations
SECONDS_EACH = $(or $(SECONDS),60)
soak-observations: ## Makes RATE observations a second for SECONDS, and accounts for each; without RATE, finds the highest rate.
	@mkdir -p target/soak
	cargo run --release --package knhk-observation --example soak_observations -- --seconds $(SECONDS_EACH) $(if $(RATE),--rate $(RATE)) --folder target/soak

# Other validators, which bring hundreds of crates: the one that switches features on that the other does not compile with is built apart.
.PHONY: oracles
ORACLE_CASES ?= 5000
ORACLE_SEED ?= 1
oracles: $(SETUP)/oracles ## Compares SHACL verdicts with pySHACL, rudof and shacl-rust on generated shapes and data.
	@for feature in shacl-rust rudof; do \
	    (cd tests/oracles/shacl && cargo build --quiet --release --features $$feature) && \
	    cp $(or $(CARGO_TARGET_DIR),tests/oracles/shacl/target)/release/knhk-shacl-oracles target/oracles/$$feature || exit 1; done
	target/oracles/python/bin/python tests/oracles/shacl/compare.py --cases $(ORACLE_CASES) --seed $(ORACLE_SEED) target/oracles/shacl-rust target/oracles/rudof

# Detectors: the Numenta benchmark with its own way of scoring, and the same series through river and statsmodels.
.PHONY: detectors
detectors: $(SETUP)/detectors ## Scores the anomaly detectors on the Numenta benchmark and compares them with river's and statsmodels'.
	cargo build --quiet --release --package knhk-autonomic --example score
	target/detectors/bin/python tests/detectors/agree.py $(LIB)/examples/score
	@if [ -d ../shared/data/nab ]; then target/detectors/bin/python tests/detectors/nab.py ../shared/data/nab $(LIB)/examples/score; \
	else echo "skipped: ../shared/data/nab is not there"; fi

$(SETUP)/detectors:
	@mkdir -p $(@D)
	@echo "set-up: numpy, river, statsmodels and vus in target/detectors"
	@python3 -m venv target/detectors
	@target/detectors/bin/pip install --quiet --disable-pip-version-check 'numpy>=2' 'river>=0.22' 'statsmodels>=0.14' 'vus>=0.0.6'
	@touch $@

$(SETUP)/oracles:
	@mkdir -p $(@D)
	@echo "set-up: a Python environment in target/oracles/python, with pySHACL"
	@python3 -m venv target/oracles/python
	@target/oracles/python/bin/pip install --quiet --disable-pip-version-check 'pyshacl==0.40.1'
	@touch $@

.PHONY: fuzz
FUZZ_SECONDS ?= 60
fuzz: $(SETUP)/cargo-fuzz ## Fuzzes each decoder, FUZZ_SECONDS each, from copies of the kept corpora.
	@for target in core/hot:artifact $(addprefix core/ontology:,document proof delta turtle ntriples nquads jsonld rdfxml change shacl) \
	    $(addprefix core/ledger:,statement receipt observation checkpoint) \
	    $(addprefix core/governance:,approval guards rules expression) core/observation:segment core/version:reference core/resilience:checkpoints; do crate=$${target%:*}; name=$${target#*:}; \
	    mkdir -p $(TARGET)/fuzz && rm -rf $(TARGET)/fuzz/$$name && cp -r $$crate/fuzz/corpus/$$name $(TARGET)/fuzz/$$name; \
	    (cd $$crate && PATH="$(abspath $(TARGET))/tools/bin:$$PATH" RUSTC_BOOTSTRAP=1 cargo fuzz run -s none \
	        --target-dir $(abspath $(TARGET))/fuzz/build $$name $(abspath $(TARGET))/fuzz/$$name -- -max_total_time=$(FUZZ_SECONDS)); done

$(SETUP)/cargo-fuzz:
	@mkdir -p $(@D)
	@echo "set-up: cargo-fuzz in $(TARGET)/tools"
	@cargo install --quiet --root $(abspath $(TARGET))/tools cargo-fuzz
	@touch $@

# Each program of the examples runs for a few seconds; what it says of itself is checked.
test-examples: target/demo/gateway command target/demo/admission target/demo/admission-cpp target/demo/resilience target/demo/loop python node
	cargo build --quiet --release --package admission --package resilience-example
	npm install --silent --no-audit --no-fund --prefix examples/admission/node
	$(PYTHON) tests/examples/run.py c=target/demo/admission cpp=target/demo/admission-cpp rust=$(LIB)/admission \
	    "python=$(PYTHON) examples/admission/python/admission.py" "node=node examples/admission/node/admission.mjs"
	$(PYTHON) tests/examples/gateway.py target/demo/gateway $(LIB)/knhk
	npm install --silent --no-audit --no-fund --prefix examples/resilience/node
	target/demo/resilience
	$(LIB)/resilience-example
	$(PYTHON) examples/resilience/python/flaky.py
	node examples/resilience/node/flaky.mjs
	target/demo/loop
	$(PYTHON) examples/loop/python/upstream.py
	npm install --silent --no-audit --no-fund --prefix examples/loop/node
	node examples/loop/node/upstream.mjs

# Set-up: says what it does, and does it once.
$(SETUP)/python: bindings/python/pyproject.toml
	@mkdir -p $(@D)
	@echo "set-up: a Python environment in .venv, with maturin, pytest and mypy"
	@python3 -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check 'maturin>=1.9.4,<2' 'mypy>=1.18' 'pytest>=9'
	@touch $@

$(SETUP)/node: $(NODE)/package-lock.json
	@mkdir -p $(@D)
	@echo "set-up: the Node modules of $(NODE)"
	@npm ci --silent --no-audit --no-fund --prefix $(NODE)
	@touch $@

# A Debian package, because nothing else serves: liburcu is a peer of the benchmarks, which say what they skip without it, and fail.
$(SETUP)/peers:
	@mkdir -p $(@D)
	@if pkg-config --exists liburcu-memb liburcu-qsbr 2>/dev/null; then touch $@; \
	elif ! command -v apt-get >/dev/null; then echo "set-up: liburcu is missing and there is no apt-get: its rows are skipped"; \
	else echo "set-up: installing the Debian package liburcu-dev"; \
	    if $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends liburcu-dev pkg-config >/dev/null; \
	    then touch $@; else echo "set-up: apt-get refused: liburcu's rows are skipped"; fi; fi

-include packaging.mk
