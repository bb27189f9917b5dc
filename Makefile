# Everything uses the release profile, so that nothing is compiled twice.

COMPONENTS := $(filter-out kit,$(patsubst components/%/Cargo.toml,%,$(wildcard components/*/Cargo.toml)))
GUESTS     := $(patsubst tests/guests/%/Cargo.toml,%,$(wildcard tests/guests/*/Cargo.toml))
# Made by an SDK of before WASI 0.2: a core module of WASI preview 1.
OLD_GUESTS := old-sdk
WASM       := --release --target wasm32-wasip2
OLD_WASM   := --release --target wasm32-wasip1
PACKAGES    = $(addprefix -p ,$(1))
# What is compiled for this machine: everything but the guests, which exist as WebAssembly only.
NATIVE     := --release --workspace $(addprefix --exclude ,$(GUESTS))

.PHONY: up build components guests host test ci format lint document bench clean target old-target

## Builds what is needed and serves the shop on http://127.0.0.1:3000.
up: build
	@exec target/release/plaza up $(ARGUMENTS)

## The host and the components, nothing else.
build: components host

components: target
	cargo build $(WASM) $(call PACKAGES,$(COMPONENTS))

host:
	cargo build --release -p plaza

guests: target old-target
	cargo build $(WASM) $(call PACKAGES,$(filter-out $(OLD_GUESTS),$(GUESTS)))
	cargo build $(OLD_WASM) $(call PACKAGES,$(OLD_GUESTS))

## All tests: the parts natively, the whole as a black box.
# Each part by itself: together, cargo would give them one another's features and build wasmtime a second time.
test: build guests
	cargo test --release -p plaza
	cargo test --release -p kit $(call PACKAGES,$(COMPONENTS))
	cargo test --release -p plaza-tests

## What must hold before a change lands.
ci: format lint test document

format:
	cargo fmt --all --check

lint: target old-target
	cargo clippy $(NATIVE) --all-targets -- -D warnings
	cargo clippy $(WASM) $(call PACKAGES,$(COMPONENTS) $(filter-out $(OLD_GUESTS),$(GUESTS))) -- -D warnings
	cargo clippy $(OLD_WASM) $(call PACKAGES,$(OLD_GUESTS)) -- -D warnings

document:
	RUSTDOCFLAGS="-D warnings" cargo doc $(NATIVE) --no-deps

## Figures, each beside the same thing without WebAssembly.
bench: build guests
	cargo build --release -p plaza-tests --bin plaza-bench
	target/release/plaza-bench

clean:
	cargo clean

target:
	@rustc --print target-libdir --target wasm32-wasip2 2>/dev/null | xargs -r test -d || rustup target add wasm32-wasip2

# Only the tests need it.
old-target:
	@rustc --print target-libdir --target wasm32-wasip1 2>/dev/null | xargs -r test -d || rustup target add wasm32-wasip1
