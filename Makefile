# `make run` and `make test` are all a newcomer needs; `make help` lists the rest.
SHELL := /bin/bash
TARGET := x86_64-unknown-linux-gnu
BIN := target/release
AGENT := $(BIN)/llm-firecracker-agent

.PHONY: help setup needs build agent tool run images test test-all unit e2e lint style fuzz lab

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what building, running and testing need (Debian 12 or newer)
	@scripts/setup-debian.sh --tests
	@scripts/test-clients.sh

needs:
	@scripts/setup-debian.sh

# They are put beside the tool under names that no crate's binary has: no other build writes there.
agent: ## build the guest's static PID 1, and the hostile one that selftest puts in its place
	+RUSTFLAGS="-C target-feature=+crt-static" cargo build -q -p agent --profile agent --target $(TARGET)
	+RUSTFLAGS="-C target-feature=+crt-static" cargo build -q -p selftest --no-default-features --bin hostile-agent --profile agent --target $(TARGET)
	@mkdir -p $(BIN) && cp target/$(TARGET)/agent/agent $(AGENT)
	@cp target/$(TARGET)/agent/hostile-agent $(BIN)/llm-firecracker-hostile-agent

tool: ## build the tool
	+cargo build --release -p cli

# Side by side: the agent's last step is one compiler on one CPU for most of its time.
build: ## build the tool and the agents
	@$(MAKE) --no-print-directory -j$$(nproc) agent tool

run: needs build ## install what is missing, build, run the main job on a real example
	$(BIN)/llm-firecracker images build python
	$(BIN)/llm-firecracker run examples/primes.py -- 30

images: needs build ## build the images of the five usual languages
	$(BIN)/llm-firecracker images build

lint: style ## format, clippy, dependency policy
	scripts/cargo-deny.sh

style:
	cargo fmt --check
	cargo clippy -q --workspace --all-targets -- -D warnings

unit: ## tests that need no VM
	cargo nextest run --workspace --lib --bins 2>/dev/null || cargo test -q --workspace --lib --bins

e2e: images ## tests with real VMs, without those of snapshots
	$(BIN)/llm-firecracker images build c perl sqlite
	LLM_FIRECRACKER_REQUIRE=1 cargo test --release --workspace --test e2e -- --nocapture --skip snapshot --skip step_of_load

test: setup ## what CI runs: lint, unit tests, tests with real VMs, attacks, a part of the lab
	scripts/test.sh

test-all: setup ## everything on every engine, and the whole lab: hours
	scripts/test.sh --all

fuzz: ## every parser of hostile bytes under libFuzzer, a minute each (nightly compiler)
	scripts/fuzz.sh 60

lab: build ## the tests on a real KVM, inside an emulated machine
	lab/run.sh
