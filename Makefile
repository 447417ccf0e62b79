# No logic here: each target is what you would type. README.md and CONTRIBUTING.md say when.
.PHONY: run test check bench bench-turn screens day engines valkey chaos soak fuzz reproducible nightly

# TESTFLAGS go to go test, for example: make test TESTFLAGS='-run Browser -count=1'
TESTFLAGS = -timeout=20m
FUZZTIME = 30s
LINTER = go tool -modfile=tools/go.mod

run:
	go run ./cmd/parley

# Everything that must hold. Browser and real-Redis tests that cannot run are skipped and say what to install.
test:
	@! gofmt -l $$(git ls-files '*.go') | grep . || { echo 'these files are not formatted: run gofmt -w'; exit 1; }
	go vet ./...
	go run ./internal/tally $(TESTFLAGS)

# What a reviewer would complain of. The first run builds the linters and installs two packages of npm.
check:
	@! $(LINTER) gofumpt -l $$(git ls-files '*.go') | grep .
	go vet ./...
	@! go fix -diff ./... | grep .
	$(LINTER) golangci-lint run
	npm ci --silent --no-audit --no-fund
	npm run -s check

# The table of ratios against named baselines; bench/README.md says what each means.
bench:
	go run ./bench

# The relay against coturn, each on a core of its own; needs Linux, two cores, and coturn. Better as root.
bench-turn:
	go run ./bench -parts turn -rounds 5

# The browser tests once more, over each Redis that parley supports: some 15 minutes for each.
ENGINES = redis-server sentinel cluster
engines:
	for engine in $(ENGINES); do \
	  PARLEY_ENGINE=$$engine PARLEY_E2E=require PARLEY_REDIS=require go test -count=1 $(TESTFLAGS) -timeout=40m ./internal/e2e || exit 1; \
	done

# What speaks to a real Redis, on Valkey: wants valkey-server on the path, as Debian's backports and its
# releases after 12 have it.
valkey:
	PARLEY_REDIS_PROGRAM=valkey-server PARLEY_REDIS=require go test -count=1 -run TestValkeyLine ./deploy
	PARLEY_REDIS_PROGRAM=valkey-server PARLEY_REDIS=require go test -count=1 $(TESTFLAGS) -timeout=40m \
	  ./cmd/parley ./internal/backup ./internal/chaos ./internal/day ./internal/link ./internal/store ./internal/vtest ./matcher ./migrations ./moderation/... ./retention ./signaling ./web

# Pictures of every screen into screens/, for a person to look at.
screens:
	PARLEY_SCREENS=$(CURDIR)/screens PARLEY_E2E=require go test -count=1 -run 'TestScreens|TestBrowserConsole' ./internal/e2e

# A day: people, friends, operators and strangers at the door, on one redis-server, a Sentinel set and a
# Cluster with append-only files; then everything that is left is searched for what no server may keep, and
# 31 days are taken from the life of every key. So many people a second come for 50 s, on each; the gate
# plays 25 a second for 15 s.
day:
	PARLEY_DAY=60 PARLEY_REDIS=require go test -count=1 -timeout=15m -v ./internal/day

# Three nodes, their Redis and what lies between are broken for 20 minutes while people use them, on one
# server, a Sentinel set and a Cluster; a checker reads what each person was told. Each prints a seed, with
# which PARLEY_CHAOS_SEED plays the same faults again. PARLEY_CHAOS_HISTORY=<folder> keeps what was told.
chaos:
	PARLEY_CHAOS=20m PARLEY_REDIS=require go test -count=1 -timeout=40m -v -skip 'TestSoak|TestRolling|TestDropped' ./internal/chaos

# An hour of 200 people on one node: memory, goroutines and keys must come back to what they were.
soak:
	PARLEY_SOAK=1h PARLEY_REDIS=require go test -count=1 -timeout=90m -v -run TestSoak ./internal/chaos

# Half a minute of made-up packets for each parser of the relay. Beside the gate it takes one core.
fuzz:
	.ci/fuzz $(FUZZTIME)

# The same program twice from this commit, in different folders: what /integrity rests on.
reproducible:
	.ci/reproducible

# Longer than a gate may take: everything three times in another order, Firefox, the browser tests over each
# Redis, known vulnerabilities.
nightly:
	PARLEY_NIGHTLY=1 PARLEY_E2E=require PARLEY_REDIS=require go run ./internal/tally -count=3 -shuffle=on -timeout=60m
	$(MAKE) engines TESTFLAGS=
	go run ./bench -parts turnwear -strict
	$(LINTER) govulncheck ./...
