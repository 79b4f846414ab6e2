# The targets that people and CI use. CI runs `make test-all` through .ci/run.
#
#   make demo        the walkthrough on the embedded cloud: shows it served, then exits
#   make demo-keep   the same, and stays until Ctrl-C
#   make test        unit, golden, property and lifecycle tests (the first run builds the Kubernetes control plane)
#   make test-all    lint, then everything `make test` runs and the longer tests
#   make lint        rustfmt, clippy, each crate alone, cargo deny
#   make cluster     an API server, the emulator and the controller, kept up for kubectl, gcloud and curl
#   make reference   writes docs/emulator/reference from what the emulator declares
#   make crds        writes deploy/crds from src/custom_resource
#   make fuzz        libFuzzer on the emulator's parsers, each target for FUZZ_SECONDS (60); needs a C++ compiler
#   make proofs      every fault at every call, 2,000 pairs of faults, 50 random histories: half an hour and more
#   make bench       prints timings and ratios; cargo bench --bench speed -- --n 10 for one row of its table

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gclb/tools
DENY := $(TOOLS)/bin/cargo-deny
DENY_VERSION := 0.20.2
# A workspace of its own: Google's Rust client, for the tests of the emulator.
RUST_CLIENT := providers/emulator/tests/clients/rust

.PHONY: help demo demo-keep test test-all lint deny advisories cluster controlplane bench golden reference crds fuzz proofs

help:
	@sed -n 's/^#   //p' $(MAKEFILE_LIST)

demo:
	$(CARGO) run --quiet -- local --demo deploy/examples/walkthrough

demo-keep:
	$(CARGO) run --quiet -- local deploy/examples/walkthrough

# Doc tests come first so that the run ends with the sum over all test programs.
test: controlplane
	.ci/cargo-test

test-all: lint controlplane
	GCLB_TEST=all .ci/cargo-test

controlplane:
	$(CARGO) run --quiet --package controlplane -- build

cluster:
	$(CARGO) build --quiet
	$(CARGO) run --quiet --package controlplane -- up

# The table of docs/benchmarks.md (`speed`) takes an hour, most of it waiting for minutes to pass; for one row of it:
#   cargo bench --bench speed -- --n 100 --story create
# What the other two measure is waiting for operations of a second, so an optimised build would only take longer to make.
bench: controlplane
	$(CARGO) bench --quiet --profile dev --bench ingress_to_address
	$(CARGO) bench --quiet --bench speed
	$(CARGO) bench --quiet --bench churn
	$(CARGO) bench --quiet --profile dev --package emulator --bench load_balancers

reference:
	GCLB_REFERENCE=rewrite $(CARGO) test --quiet --package emulator --lib reference::the_reference -- --ignored

crds:
	GCLB_CRDS=rewrite $(CARGO) test --quiet --package gclb --lib custom_resource::tests::the_files

fuzz:
	providers/emulator/fuzz/run

proofs:
	GCLB_FAULT_PART=1 GCLB_FAULT_PAIRS=2000 GCLB_HISTORIES=50 $(CARGO) test --test proof -- --include-ignored --nocapture

golden:
	GCLB_GOLDEN=rewrite $(CARGO) test --quiet --test golden

lint: deny
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	@for crate in gce-api gce emulator; do \
		echo "check $$crate alone"; $(CARGO) check --quiet --package $$crate; done
	@echo "check gclb without the emulator, as the image is built"
	$(CARGO) check --quiet --package gclb --no-default-features

$(DENY):
	$(CARGO) install cargo-deny --version $(DENY_VERSION) --locked --root $(TOOLS)

deny: $(DENY)
	$(DENY) --log-level error check bans licenses sources
	$(DENY) --log-level error --manifest-path $(RUST_CLIENT)/Cargo.toml --config .cargo/deny.toml check bans licenses sources

advisories: $(DENY)
	$(DENY) check advisories
