# Everything uses the release profile, so that nothing is compiled twice.

COMPONENTS := $(filter-out kit,$(patsubst components/%/Cargo.toml,%,$(wildcard components/*/Cargo.toml)))
GUESTS     := $(notdir $(patsubst %/Cargo.toml,%,$(wildcard tests/guests/*/Cargo.toml tests/spin-apps/*/*/Cargo.toml)))
# Made by an SDK of before WASI 0.2: core modules of WASI preview 1.
OLD_GUESTS := old-sdk keeps-values-old keeps-rows-old asks-redis-old hears-messages-old
WASM       := --release --target wasm32-wasip2
OLD_WASM   := --release --target wasm32-wasip1
PACKAGES    = $(addprefix -p ,$(1))
# What is compiled for this machine: everything but the guests, which exist as WebAssembly only.
NATIVE     := --release --workspace $(addprefix --exclude ,$(GUESTS))

# What compiles the tests and their guests; `make ci` has Clippy do it.
CHECKED :=

.PHONY: up build components guests rust-guests python-guests spin-guests broker host tools test fuzz workload faults invariants ci format lint lint-components document bench bench-swap clean target old-target

## Builds what is needed and serves the shop on http://127.0.0.1:3000.
up: build
	@exec target/release/plaza up $(ARGUMENTS)

## The host and the components, nothing else.
build: components host

components: target
	cargo build $(WASM) $(call PACKAGES,$(COMPONENTS))

host: tools
	cargo build --release -p plaza

# The client of Kafka is built from source, and OpenSSL, too, where none is installed for those who build with it.
ifneq ($(shell pkg-config --exists 'openssl >= 3' 2>/dev/null && echo installed),installed)
export OPENSSL_NO_VENDOR ?= 0
endif

tools:
	@command -v $(CXX) >/dev/null && command -v $(CC) >/dev/null && perl -MIPC::Cmd -e1 2>/dev/null || \
		{ echo "the host needs a compiler for C and C++, and perl: apt install build-essential" >&2; exit 1; }

guests: rust-guests python-guests spin-guests

rust-guests: target old-target
	cargo build $(WASM) $(CHECKED) $(call PACKAGES,$(filter-out $(OLD_GUESTS),$(GUESTS)))
	cargo build $(OLD_WASM) $(CHECKED) $(call PACKAGES,$(OLD_GUESTS))

# A provider of payments in Python, which takes the place of the one in Rust: same interface, same tables.
PYTHON_GUEST  := tests/guests-python/payment-sandbox
# The tool leaves bytecode beside what it reads, so it gets a copy.
PYTHON_COPY   := target/guests/payment-sandbox-python
PYTHON_TOOL   := target/componentize-py
PYTHON_WIT    := wit/shop/payments wit/deps/spin-postgres-4.2.0 wit/deps/spin-variables wit/deps/wasi-clocks $(PYTHON_GUEST)/wit

python-guests: target/guests/payment-sandbox-python.wasm

target/guests/payment-sandbox-python.wasm: $(PYTHON_TOOL)/installed.txt $(wildcard $(PYTHON_GUEST)/*.py $(addsuffix /*.wit,$(PYTHON_WIT)))
	rm -rf $(PYTHON_COPY) && mkdir -p $(PYTHON_COPY) && cp $(PYTHON_GUEST)/*.py $(PYTHON_COPY)
	$(PYTHON_TOOL)/bin/componentize-py $(addprefix -d ,$(PYTHON_WIT)) -w plaza:payment-sandbox/sandbox \
		componentize -p $(PYTHON_COPY) app -o $@

$(PYTHON_TOOL)/installed.txt: tests/guests-python/requirements.txt
	python3 -m venv --clear $(PYTHON_TOOL) || { echo "the guest in Python needs Python 3.11 with its module venv: apt install python3-venv" >&2; exit 1; }
	$(PYTHON_TOOL)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	cp $< $@

# What Spin's own SDKs make of programs in Python and TypeScript. Their tools leave much behind, so they work on copies.
spin-guests: target/guests/spin-python.wasm target/guests/spin-typescript.wasm

SPIN_PYTHON := tests/spin-apps/python
target/guests/spin-python.wasm: $(SPIN_PYTHON)/app.py $(SPIN_PYTHON)/requirements.txt
	rm -rf target/spin-python && mkdir -p target/spin-python target/guests && cp $^ target/spin-python
	python3 -m venv target/spin-python/venv || { echo "the guest in Python needs Python 3.11 with its module venv: apt install python3-venv" >&2; exit 1; }
	cd target/spin-python && . venv/bin/activate && python -m pip install --quiet --disable-pip-version-check -r requirements.txt && \
		componentize-py -w spin-http componentize app -o $(CURDIR)/$@

SPIN_TYPESCRIPT := tests/spin-apps/typescript
target/guests/spin-typescript.wasm: $(addprefix $(SPIN_TYPESCRIPT)/,app.ts package.json package-lock.json tsconfig.json)
	@command -v npm >/dev/null || { echo "the guest in TypeScript needs Node 20 with npm: apt install npm" >&2; exit 1; }
	rm -rf target/spin-typescript && mkdir -p target/spin-typescript target/guests && cp $^ target/spin-typescript
	cd target/spin-typescript && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build && cp build/app.wasm $(CURDIR)/$@

# One broker of Apache Kafka for the tests, out of Maven Central; with KAFKA_BROKERS they use those brokers instead.
BROKER := target/kafka

broker: $(BROKER)/ready.txt

$(BROKER)/ready.txt: tests/kafka-broker/pom.xml tests/kafka-broker/format.properties
	@command -v mvn >/dev/null && command -v java >/dev/null || \
		{ echo "the tests' broker needs Java 17 and Maven: apt install openjdk-17-jre-headless maven" >&2; exit 1; }
	rm -rf $(BROKER)
	mvn --quiet --batch-mode --file $< dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/$(BROKER)/libraries
	java -cp '$(BROKER)/libraries/*' kafka.tools.StorageTool format -t cGxhemEtdGVzdHMtMDAwMQ -c tests/kafka-broker/format.properties \
		--add-scram 'SCRAM-SHA-512=[name=plaza,password=the-broker-knows-it]'
	cp $< $@

# The parts' own rules need no speed, and it takes minutes to give it to them.
UNHURRIED := $(foreach part,plaza kit $(COMPONENTS),--config profile.release.package.$(part).opt-level=0)

## All tests: the parts natively, the whole as a black box.
# Each part by itself: together, cargo would give them one another's features and build wasmtime a second time. The host's own tests
# leave an unhurried host behind, so the one that was built before is put back for those that run it.
test: build guests $(if $(KAFKA_BROKERS),,broker)
	cargo test --release --no-fail-fast $(CHECKED) -p plaza --lib --bins --test '*' $(UNHURRIED)
	cargo test --release --no-fail-fast $(CHECKED) -p kit $(call PACKAGES,$(COMPONENTS)) $(UNHURRIED)
	cargo build --release -p plaza
	cargo test --release --no-fail-fast $(CHECKED) -p plaza-tests

## Schemathesis against the running shop, as a customer and as an administrator, for so long: make fuzz MINUTES=30
# Everything stays on this machine but what PyPI gives at the first time.
MINUTES := 30
fuzz: build
	PLAZA_FUZZ_MINUTES=$(MINUTES) cargo test --release -p plaza-tests --test fuzz -- --nocapture

## The workload of the tests, some ten minutes long: many customers, and misfortunes every few seconds.
workload: build
	WORKLOAD_VISITS=$${WORKLOAD_VISITS:-1500} cargo test --release -p plaza-tests --test workload -- --nocapture

## So many orders with their events on Kafka, while broker, host, database and subscribers are killed or replaced, and then a count of
## everything: make faults ORDERS=20000
ORDERS := 20000
faults: build broker
	FAULTS_ORDERS=$(ORDERS) cargo test --release -p plaza-tests --test faults -- --nocapture

## Asks the shop that `make up` runs whether what must always hold does hold, a line for each of the nine.
invariants:
	@cargo build --quiet --release -p plaza-tests --bin plaza-invariants
	@target/release/plaza-invariants $(ARGUMENTS)

## What must hold before a change lands.
# Clippy compiles the tests, in which is all that there is for this machine: by itself it would check every dependency anew, which takes
# ten minutes.
ci: export CLIPPY_ARGS := -D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
ci: CHECKED := --config 'build.rustc-workspace-wrapper="clippy-driver"'
ci: format lint-components test document

format:
	cargo fmt --all --check

lint: lint-components old-target
	cargo clippy $(NATIVE) --all-targets -- -D warnings
	cargo clippy $(WASM) $(call PACKAGES,$(filter-out $(OLD_GUESTS),$(GUESTS))) -- -D warnings
	cargo clippy $(OLD_WASM) $(call PACKAGES,$(OLD_GUESTS)) -- -D warnings

# As what they are deployed as; what is deployed is compiled by nothing but rustc.
lint-components: target
	cargo clippy $(WASM) $(call PACKAGES,$(COMPONENTS)) -- -D warnings

# The dependencies are those of the tests; `cargo doc` would check every one of them anew.
document: export RUSTDOC := $(CURDIR)/.ci/rustdoc
document:
	cargo test --release --doc $(CHECKED) -p plaza $(UNHURRIED)
	cargo test --release --doc $(CHECKED) -p kit $(call PACKAGES,$(COMPONENTS)) $(UNHURRIED)
	cargo test --release --doc $(CHECKED) -p plaza-tests

# The tests ask at their ease; whoever measures must be faster than what is measured.
HURRIED := --config profile.release.package.plaza-tests.opt-level=3

## Figures, each beside the same thing without WebAssembly.
bench: build rust-guests broker
	cargo build --release -p plaza-tests --bin plaza-bench $(HURRIED)
	target/release/plaza-bench

## Replaces each service of the shop a hundred times while customers read and order, and tells what they noticed.
bench-swap: build
	cargo build --release -p plaza-tests --bin plaza-bench $(HURRIED)
	target/release/plaza-bench swap

clean:
	cargo clean

target:
	@rustc --print target-libdir --target wasm32-wasip2 2>/dev/null | xargs -r test -d || rustup target add wasm32-wasip2

# Only the tests need it.
old-target:
	@rustc --print target-libdir --target wasm32-wasip1 2>/dev/null | xargs -r test -d || rustup target add wasm32-wasip1
