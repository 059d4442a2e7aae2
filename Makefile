# Thin on purpose: each target is one or two commands that also work alone. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

RELEASE := .build/release/netpold
# A terminal and a pipe are the same to the compiler: with other flags for colour it would build everything twice.
BUILD := swift build --no-color-diagnostics
# Warnings are errors here and in CI; a user's plain `swift build` with a newer compiler only shows them.
export NETPOLD_STRICT := 1

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: deps
deps: ## install the Debian packages that building and testing need
	@scripts/install-deps.sh

.PHONY: build
build: deps ## the release binary, .build/release/netpold
	$(BUILD) -c release --product netpold

.PHONY: demo
demo: ## install, build (6 minutes on two cores), run the lab on examples/shop; as root, or with sudo, which it asks for first
	@MAKE='$(MAKE)' scripts/demo.sh $(RELEASE)

.PHONY: quick
quick: lint ## lint and the tests that need no kernel and no root
	$(BUILD) --build-tests
	scripts/swift-test.sh --skip DatapathTests --skip EndToEndTests

# Agents with seconds to answer, on machines with two cores. Most of these tests, and those of the proxy, block a thread of the pool, which
# has one for each core: two processes have two pools, and more tests at a time in one only wait for each other. For the same reason kernel
# tests, which take whole cores, run apart from the agent's.
E2E := scripts/as-root.sh env SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4 scripts/swift-test.sh
E2E_HALF := EndToEndTests[.][A-H]

# The floor. Its verifier refuses what newer ones take: it loads the programs too, under QEMU, beside the tests that wait most.
OLDEST_KERNEL := 6.1

# Installs servers that tests put behind the proxy; without them those tests say that they did not run.
.PHONY: test
test: deps lint ## what CI runs: lint, unit tests, kernel tests (as root), conformance, the programs loaded by Linux 6.1
	scripts/install-deps.sh nginx haproxy gunicorn python3-grpcio dnsmasq-base bind9-dnsutils curl openssl \
		containernetworking-plugins iptables nftables python3-venv zsh fish
	scripts/install-deploy-tools.sh
	$(BUILD) --build-tests
	scripts/beside.sh .build/test-logs/proxy.log scripts/as-root.sh scripts/swift-test.sh --filter L7ProxyTests -- \
		scripts/as-root.sh scripts/swift-test.sh --skip DatapathTests --skip EndToEndTests --skip L7ProxyTests
	scripts/as-root.sh scripts/swift-test.sh --filter DatapathTests
	scripts/beside.sh .build/test-logs/kernel-$(OLDEST_KERNEL).log \
		nice -n 10 scripts/boot-kernel.sh --load $(OLDEST_KERNEL) .build/debug/netpold -- \
		scripts/beside.sh .build/test-logs/end-to-end.log $(E2E) --filter '$(E2E_HALF)' -- \
		$(E2E) --filter EndToEndTests --skip '$(E2E_HALF)'
	scripts/as-root.sh scripts/conformance.sh .build/debug/netpold Tests/Conformance

.PHONY: conformance
conformance: build ## the 314 PolicyTest folders, decided by the evaluator and (as root) in the kernel; `make test` does it with the debug binary
	scripts/as-root.sh scripts/conformance.sh $(RELEASE) Tests/Conformance

.PHONY: bench
bench: build ## ns a packet and compile time, beside reference programs of the same run
	scripts/as-root.sh $(RELEASE) bench

.PHONY: bench-cores
bench-cores: build ## a packet on one CPU, and on two at once, beside the parser alone
	scripts/as-root.sh $(RELEASE) bench-cores --check

.PHONY: bench-net
bench-net: build ## CPU per datagram, connection and request: nothing, netpold, nftables
	scripts/install-deps.sh nftables
	scripts/as-root.sh $(RELEASE) bench-net

.PHONY: bench-l7
bench-l7: build ## CPU per HTTP request in the proxy, beside Envoy (PyPI) and haproxy (Debian) in the same rounds
	scripts/install-deps.sh haproxy python3-venv
	cc -O2 -shared -fPIC -o .build/count-allocations.so scripts/count-allocations.c
	$(RELEASE) bench-l7 --envoy "$$(scripts/install-envoy.sh)" --haproxy /usr/sbin/haproxy \
		--allocations .build/count-allocations.so

.PHONY: bench-names
bench-names: build ## latency of allowed DNS answers beside no policy, and the time of the programs, with their limits
	scripts/as-root.sh $(RELEASE) bench-names --check

.PHONY: bench-changes
bench-changes: build ## from the edit of a policy until it is in force, and its CPU time, 50 pods of 10,000
	scripts/as-root.sh $(RELEASE) bench-changes

.PHONY: bench-cluster
bench-cluster: build ## the agent on an API server: a change until it is in force, memory, CPU while nothing changes
	scripts/as-root.sh $(RELEASE) bench-cluster --check

.PHONY: bench-agent
bench-agent: build ## a policy edit and a status, quiet and with a monitor over a flood of denied packets
	scripts/as-root.sh $(RELEASE) bench-agent

.PHONY: bench-kube
bench-kube: build ## Pods of an API server: read a second, memory, CPU of 1,000 events a second
	$(RELEASE) bench-kube

.PHONY: bench-load
bench-load: build ## compile and lint of 1,000 and 10,000 policies in one file, from the start of the process to its end
	$(RELEASE) bench-load

.PHONY: bench-scale
bench-scale: build ## 5,000 nodes and 100,000 pods, simulated with the costs of a Pod measured in the run
	$(RELEASE) bench-scale

.PHONY: bench-smoke
bench-smoke: build ## every benchmark once and short: that they run, no figures to keep
	scripts/install-deps.sh nftables
	scripts/as-root.sh $(RELEASE) bench --rounds 1 --packets 1000
	scripts/as-root.sh $(RELEASE) bench-cores --rounds 1 --packets 1000
	scripts/as-root.sh $(RELEASE) bench-net --rounds 1 --scale 1
	scripts/as-root.sh $(RELEASE) bench-changes --edits 2
	scripts/as-root.sh $(RELEASE) bench-cluster --edits 3 --idle 2
	scripts/as-root.sh $(RELEASE) bench-agent --edits 3
	$(RELEASE) bench-l7 --rounds 1 --requests 500
	$(RELEASE) bench-kube --short
	$(RELEASE) bench-load --runs 1
	$(RELEASE) bench-scale
	scripts/as-root.sh $(RELEASE) bench-names --rounds 1 --seconds 1

# With a whole build: the copy of .build that it sees is other files to the compiler.
.PHONY: demo-check
demo-check: ## `make demo` as a new user of a small Debian with sudo has it, in a root of debootstrap (root)
	scripts/as-root.sh scripts/demo-check.sh

.PHONY: dist
dist: deps ## dist/: one file that runs without Swift, its tarball, Debian package, symbols and bill of materials (a build of its own)
	scripts/dist.sh

.PHONY: dist-check
dist-check: ## what `make dist` made runs in roots without Swift, made by debootstrap; package, schema and lintian (root)
	scripts/as-root.sh scripts/dist-check.sh

.PHONY: image
image: ## a container image of what `make dist` made (buildah)
	scripts/image.sh

.PHONY: cli
cli: ## write docs/reference/cli.md from the debug binary; a test compares
	$(BUILD) --product netpold
	scripts/command-pages.py .build/debug/netpold markdown docs/reference/cli.md

# Ten million each, which takes optimised tests; `make build` and this build each other's modules anew.
SOAK_FLOWS ?= 10000000
# DEBUG: injected faults, which tests name.
SOAK_TEST := -c release -Xswiftc -enable-testing -Xswiftc -DDEBUG
# An hour of chaos of each kind: SOAK_CHAOS=3600.
SOAK_CHAOS ?= 600
.PHONY: soak
soak: deps ## ten million random flows three ways, ten million random packets, floods of a million flows, 20,000 changes, chaos (root; 1.5 h)
	scripts/install-deps.sh containernetworking-plugins
	$(BUILD) $(SOAK_TEST) --build-tests
	NETPOLD_CHANGE_STEPS=500 swift test --no-color-diagnostics $(SOAK_TEST) --skip-build --filter CompilerStateChanges
	CHAOS_SEED=$${CHAOS_SEED:-$$RANDOM} CHAOS_SECONDS=$(SOAK_CHAOS) LEAK_CHANGES=10000 \
		scripts/as-root.sh swift test --no-color-diagnostics $(SOAK_TEST) --skip-build --filter 'ChaosTests|LeakTests'
	NETPOLD_FLOOD=1000000 scripts/as-root.sh swift test --no-color-diagnostics $(SOAK_TEST) --skip-build --filter FloodTests
	NETPOLD_DIFF_FLOWS=$(SOAK_FLOWS) NETPOLD_DIFF_PER_CLUSTER=2000 NETPOLD_PACKETS=$(SOAK_FLOWS) \
		scripts/as-root.sh swift test --no-color-diagnostics $(SOAK_TEST) --skip-build --filter 'Differential|RandomPackets'
	NETPOLD_KILL_EVERYWHERE=1 scripts/as-root.sh swift test --no-color-diagnostics $(SOAK_TEST) --skip-build --filter killedAnywhere

.PHONY: fuzz
fuzz: deps ## libFuzzer on manifests, values, verdicts, HTTP (beside llhttp), ClientHellos and DNS messages (beside the kernel's readers), FUZZ_SECONDS=60 each
	scripts/fuzz.sh

.PHONY: kernel-6.1
kernel-6.1: build ## Debian 12's kernel under QEMU: flows decided by it, the lab enforced by clsact (2 min)
	scripts/boot-kernel.sh 6.1 $(RELEASE) Tests/Conformance/upstream/*[05]0-* Tests/Conformance/cilium/np-[1-3]

.PHONY: kernel-6.12
kernel-6.12: build ## the same with Debian's 6.12, attached by TCX
	scripts/boot-kernel.sh 6.12 $(RELEASE) Tests/Conformance/upstream/*[05]0-* Tests/Conformance/cilium/np-[1-3]

.PHONY: arm64
arm64: deps ## layouts and BPF objects as arm64 has them: the same as here
	scripts/check-arm64.sh

# The test that CI runs with a thousand.
.PHONY: lookups
lookups: deps ## 10,000 new names, each connected to at once, half of them with the agent killed: none lost (root)
	$(BUILD) --build-tests
	NETPOLD_LOOKUPS=10000 scripts/as-root.sh scripts/swift-test.sh --filter NameLookupTests

# The tests that CI runs shortly. `make chaos CHAOS_SECONDS=3600` is an hour of each.
CHAOS_SECONDS ?= 60
LEAK_CHANGES ?= 1000
.PHONY: chaos
chaos: deps ## files, pods, objects, the API server and the agent go wrong at random: CHAOS_SECONDS=60 of each; 1,000 changes leave nothing (root)
	scripts/install-deps.sh containernetworking-plugins
	$(BUILD) --build-tests
	CHAOS_SEED=$${CHAOS_SEED:-$$RANDOM} CHAOS_SECONDS=$(CHAOS_SECONDS) LEAK_CHANGES=$(LEAK_CHANGES) \
		scripts/as-root.sh scripts/swift-test.sh --filter 'ChaosTests|LeakTests'

.PHONY: release-check
release-check: ## test, lookups, chaos, docs, arm64, kernel-6.1, kernel-6.12, bench-smoke, fuzz and soak, in this order, up to the first failure (root; long)
	scripts/release-check.sh test lookups chaos docs arm64 kernel-6.1 kernel-6.12 bench-smoke fuzz soak

.PHONY: format
format: ## rewrite Swift sources in the house style
	swift format --in-place --parallel --recursive Sources Tests Fuzz Plugins Package.swift

.PHONY: lint
lint: ## style, import rules, layout asserts, references to pages
	swift format lint --strict --parallel --recursive Sources Tests Fuzz Plugins Package.swift
	scripts/check-imports.sh
	scripts/check-abi.sh
	scripts/check-docs.sh

.PHONY: docs
docs: deps ## DocC archives of PolicyIR, BPFEmit and Datapath, in .build/docs
	@mkdir -p .build/docs
	for module in PolicyIR BPFEmit Datapath; do \
		swift package --allow-writing-to-directory .build/docs generate-documentation \
			--target $$module --output-path .build/docs/$$module --warnings-as-errors; \
	done

.PHONY: clean
clean: ## remove build products
	rm -rf .build dist
