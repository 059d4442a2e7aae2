# Thin on purpose: each target is one or two commands that also work alone. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

SHARED ?= ../shared
RELEASE := .build/release/netpold
# Warnings are errors here and in CI; a user's plain `swift build` with a newer compiler only shows them.
export NETPOLD_STRICT := 1

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: deps
deps: ## install the Debian packages that building and testing need
	@scripts/install-deps.sh

.PHONY: build
build: deps ## the release binary, .build/release/netpold
	swift build -c release --product netpold

.PHONY: demo
demo: build ## install, build, run the lab on examples/shop (root: namespaces and BPF)
	@scripts/as-root.sh $(RELEASE) lab -f examples/shop

.PHONY: test
test: deps lint ## lint, unit tests, kernel tests (as root), conformance
	swift build --build-tests
	scripts/as-root.sh scripts/swift-test.sh --skip EndToEndTests
	scripts/as-root.sh scripts/swift-test.sh --filter EndToEndTests
	$(MAKE) --no-print-directory conformance

.PHONY: conformance
conformance: build ## the PolicyTest folders of ../shared, evaluated and (as root) in the kernel
	scripts/conformance.sh $(RELEASE) $(SHARED)/conformance

.PHONY: bench
bench: build ## ns a packet and compile time, beside reference programs of the same run
	scripts/as-root.sh $(RELEASE) bench

.PHONY: bench-net
bench-net: build ## CPU per datagram, connection and request: nothing, netpold, nftables
	scripts/install-deps.sh nftables
	scripts/as-root.sh $(RELEASE) bench-net

.PHONY: soak
soak: build ## one million random flows three ways, one million random packets through the kernel, 20,000 random changes
	NETPOLD_CHANGE_STEPS=500 swift test --filter CompilerStateChanges
	NETPOLD_DIFF_FLOWS=1000000 NETPOLD_PACKETS=1000000 scripts/as-root.sh swift test --filter 'Differential|RandomPackets'

.PHONY: fuzz
fuzz: deps ## libFuzzer on manifests, values and verdicts, FUZZ_SECONDS=60 each
	scripts/fuzz.sh $(SHARED)

.PHONY: kernel-6.1
kernel-6.1: build ## Debian 12's kernel under QEMU: flows decided by it, the lab enforced by clsact (2 min)
	scripts/boot-kernel.sh 6.1 $(RELEASE) $(wildcard $(SHARED)/conformance/upstream/*[05]0-* $(SHARED)/conformance/cilium/np-[1-3])

.PHONY: format
format: ## rewrite Swift sources in the house style
	swift format --in-place --parallel --recursive Sources Tests Fuzz Plugins Package.swift

.PHONY: lint
lint: ## style, import rules, layout asserts
	swift format lint --strict --parallel --recursive Sources Tests Fuzz Plugins Package.swift
	scripts/check-imports.sh
	scripts/check-abi.sh

.PHONY: clean
clean: ## remove build products
	rm -rf .build
