# Tests and checks. `make setup` installs what they need where it can, `make test` runs every test.

CARGO ?= cargo
NPM ?= npm
CHROMIUM ?= /usr/bin/chromium
export CHROMIUM
REDIS_SERVER ?= $(or $(shell command -v redis-server),$(CURDIR)/target/redis/redis-server)
export REDIS_SERVER

# Runs Autobahn's WebSocket cases; installed below `target`, never into the system.
KOSOKU_VENV := $(CURDIR)/target/kosoku-0.1.0
export KOSOKU := $(KOSOKU_VENV)/bin/kosoku

.PHONY: setup test test-all package lines check deny stranger rust-test simulate simulate-ownership simulate-queue nemesis client-test browser chromium node-modules screenshot fuzz bench counts valgrind proxies redis postgres clean

# What tests and checks need besides Rust, Node and Python: each is installed only where it is missing.
setup: node-modules chromium valgrind redis postgres proxies $(KOSOKU)

# Rust first: it builds the server that the browser tests start.
test: stranger rust-test client-test

# A client in Python that goes by PROTOCOL.md alone reads the vectors.
stranger:
	PYTHONDONTWRITEBYTECODE=1 python3 shared/tests/stranger/check.py

rust-test: redis postgres $(KOSOKU)
	$(CARGO) build --workspace --bins --locked
	$(CARGO) test --workspace --locked
	$(CARGO) test --locked -p tickwire-server --lib http::tests:: -- --ignored

client-test: node-modules chromium redis proxies
	$(CARGO) build --locked --bins --examples
	$(CARGO) build --locked -p tickwire-harness -p tickwire-bots --bins
	cd client-web && $(NPM) test

# What takes longer than a change should wait for: a thousand seeds, the surroundings that a server must outlive with 200 bots playing for a minute in each
# (as root also a full disk), handshakes and idle connections by the thousand.
test-all: test proxies
	$(MAKE) simulate SEEDS=1000
	$(MAKE) simulate-ownership SEEDS=1000
	$(MAKE) simulate-queue SEEDS=20
	$(MAKE) fuzz SECONDS=300
	$(CARGO) build --release --locked --workspace --bins
	$(MAKE) nemesis SECONDS=120
	$(CARGO) test --release --locked -p tickwire-server --test edge -- --ignored --nocapture --test-threads 1
	$(CARGO) test --release --locked -p tickwire-server --test crowd -- --include-ignored --nocapture --test-threads 1
	cd client-web && TICKWIRE_PROXIES_S=60 TICKWIRE_SERVER=../target/release/tickwire-server TICKWIRE_BOTS=../target/release/tickwire-bots node --test test/browser_proxies.test.js
	$(CARGO) test --release --locked -p tickwire-bots --test nodes --test deploy -- --ignored --nocapture
	$(CARGO) test --release --locked -p tickwire-server --lib engine::tests::cost -- --ignored --nocapture
	$(CARGO) test --release --locked -p tickwire-server --lib store:: -- --ignored --nocapture --test-threads 1

# The proxies of docs/proxies.md, and curl, which tells Agones in the place of a server: deploy/agones/beside.sh.
PROXIES := nginx:nginx-light haproxy:haproxy caddy:caddy squid:squid curl:curl
proxies:
	@PATH="$$PATH:/usr/sbin"; for each in $(PROXIES); do \
	  command -v "$${each%%:*}" >/dev/null || missing="$$missing $${each#*:}"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	else \
	  echo "install$$missing" >&2; exit 1; \
	fi

# What must hold beside the tests: format, lints, documentation, types, and what a snapshot may cost.
check: node-modules valgrind
	$(CARGO) fmt --all --check
	$(CARGO) metadata --locked --format-version 1 --manifest-path shared/fuzz/Cargo.toml >/dev/null
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked
	cd client-web && $(NPM) run check
	$(MAKE) --no-print-directory counts

# Instructions and simulated cache misses of each stage of a tick, held to the bars in benches/counts.json: the same on every machine.
# `make counts WRITE=1` takes today's as the bars. What runs in a room is compiled as a server's code is, the rest as for the tests.
counts: valgrind
	CARGO_INCREMENTAL=0 $(CARGO) build --locked --workspace --bin counted --config benches/optimised.toml
	$(or $(CARGO_TARGET_DIR),target)/debug/counted $(if $(WRITE),--write)

valgrind:
	@command -v valgrind >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends valgrind; \
	  else \
	    echo "install valgrind" >&2; exit 1; \
	  fi; }

# Debian's tools alone: their program is the server under another name, and no service comes with them.
redis:
	@test -x "$(REDIS_SERVER)" || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-tools && \
	    mkdir -p "$(dir $(REDIS_SERVER))" && ln -sf /usr/bin/redis-check-rdb "$(REDIS_SERVER)"; \
	  else \
	    echo "install redis-server, or set REDIS_SERVER to its path" >&2; exit 1; \
	  fi; }

# Debian's programs without a service: what starts one is told not to, and tests start their own in a folder of theirs.
postgres:
	@{ test -n "$(POSTGRES_BIN)" || command -v postgres || ls -d /usr/lib/postgresql/*/bin/postgres; } >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common && \
	    mkdir -p /etc/postgresql-common/createcluster.d && \
	    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/tickwire.conf && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; \
	  else \
	    echo "install postgresql, or set POSTGRES_BIN to the folder of its programs" >&2; exit 1; \
	  fi; }

# Licences, sources, doubles and advisories. The licences and sources alone are a test, which needs
# neither this tool nor its database.
deny:
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny@0.20.2
	$(CARGO) deny --locked check

# What a release publishes, packed and built as a user gets it; nothing is sent anywhere.
package: node-modules
	$(CARGO) publish --dry-run --locked -p tickwire -p tickwire-server -p tickwire-arena -p tickwire-bots
	cd client-web && $(NPM) pack --dry-run

# Lines of Rust and JavaScript that are neither empty nor tests.
lines:
	@git ls-files '*.rs' '*.js' | grep -vE '(^|/)(tests?|harness|fuzz|vectors)/|tests\.rs$$|\.test\.js$$' | xargs awk ' \
	  FNR == 1 { tests = 0 } \
	  /^#\[cfg\(test\)\]/ { getline below; if (below ~ /^(pub(\(crate\))? )?mod [a-z_]+ \{/) tests = 1; next } \
	  !tests && !/^[ \t]*$$/ { lines[FILENAME ~ /\.rs$$/]++ } \
	  END { print lines[1] " of Rust, " lines[0] " of JavaScript, " lines[0] + lines[1] " in all" }'

# The README's picture, from the running game.
screenshot: node-modules chromium
	$(CARGO) build --locked
	cd client-web && TICKWIRE_SCREENSHOT=1 node --test test/browser.test.js

# As many seeds of the deterministic simulation as asked: make simulate SEEDS=1000. A seed that breaks
# an invariant is printed with the command that runs it again.
FIRST ?= 0
SEEDS ?= 1000
simulate:
	SIMULATE_FIRST=$(FIRST) SIMULATE_SEEDS=$(SEEDS) SIMULATE_SECONDS=$(or $(SECONDS),60) \
	  $(CARGO) test --release --locked -p tickwire-server --test simulation -- --nocapture no_seed

# The same of who owns which room in a cluster: histories of faults, and of processes that end. It prints what they were like, and how long
# after a kill a room is ticked again.
simulate-ownership:
	SIMULATE_FIRST=$(FIRST) SIMULATE_SEEDS=$(SEEDS) \
	  $(CARGO) test --release --locked -p tickwire-server --lib directory::ownership:: -- --nocapture --test-threads 1

# The same of matchmaking: 10,000 players of all manners a seed. It prints how good the matches were and how long was waited for them.
simulate-queue:
	SIMULATE_FIRST=$(FIRST) SIMULATE_SEEDS=$(SEEDS) \
	  $(CARGO) test --release --locked -p tickwire-server --lib queue::tests::simulation -- --nocapture --test-threads 1

# A cluster of real processes, faults by a seed (drawn where none is given) for so many seconds, and whether everything held.
nemesis: redis
	$(CARGO) build --release --locked --bins
	$(CARGO) run --release --locked -p tickwire-bots --bin tickwire-nemesis -- \
	  --duration $(or $(SECONDS),300)s $(if $(SEED),--seed $(SEED))

# Every decoder of peers' bytes, so many seconds together; needs a C++ compiler, for libFuzzer.
fuzz:
	shared/fuzz/run.sh $(or $(SECONDS),30)

bench:
	$(CARGO) bench --locked -p tickwire-benches

$(KOSOKU):
	@python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; \
	  else \
	    echo "install Python 3.10 or newer with venv" >&2; exit 1; \
	  fi; }
	python3 -m venv $(KOSOKU_VENV)
	$(KOSOKU_VENV)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: kosoku==0.1.0

node-modules: client-web/node_modules/.package-lock.json

client-web/node_modules/.package-lock.json: client-web/package-lock.json
	cd client-web && $(NPM) ci --no-audit --no-fund
	touch $@

chromium:
	@test -x "$(CHROMIUM)" || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
	  else \
	    echo "install Chromium, or set CHROMIUM to its path" >&2; exit 1; \
	  fi; }

clean:
	$(CARGO) clean
	rm -rf client-web/node_modules
