# mtkd-sweep: what people type. `make` alone builds.

PACKAGES := libopenblas-dev libsqlite3-dev libzstd-dev libssl-dev zlib1g-dev libjpeg62-turbo-dev libpng-dev dataset-fashion-mnist
PROGRAM  := .build/release/mtkd-sweep
STORE    := results

.PHONY: build setup test demo lint bench bench-torch clean install docs test-tools

build: setup
	swift build -c release --product mtkd-sweep
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

# Everything: format, unit, fixture and conformance suites, then the built program end to end (kill -9 included).
test: setup lint
	swift build --build-tests
	swift test --skip-build --parallel

demo: build
	$(PROGRAM) run sweeps/demo.json --store $(STORE)

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

# Speed of the engine; beside PyTorch, and appended to Benchmarks/RESULTS.md, where `make bench-torch` has put that into .build.
bench: build
	swift build -c release --product mtkd-benchmarks
	@if [ -x .build/torch/bin/python ]; then python3 Benchmarks/pairs.py --append Benchmarks/RESULTS.md; \
	else .build/release/mtkd-benchmarks; echo "For ratios to PyTorch: make bench-torch"; fi

# The rival, in an environment of its own. Nothing else of this program uses it.
bench-torch: build
	test -x .build/torch/bin/python || python3 -m venv .build/torch
	.build/torch/bin/python -c 'import torch' 2>/dev/null || .build/torch/bin/pip install --quiet torch numpy
	swift build -c release --product mtkd-benchmarks
	python3 Benchmarks/pairs.py --append Benchmarks/RESULTS.md

# Program, manual page and shell completions, below PREFIX: the program alone is enough to use it.
PREFIX  := /usr/local
DESTDIR :=
install: build
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/mtkd-sweep
	install -D -m 644 $(PROGRAM).commit $(DESTDIR)$(PREFIX)/bin/mtkd-sweep.commit
	@mkdir -p $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(PROGRAM) manual > $(DESTDIR)$(PREFIX)/share/man/man1/mtkd-sweep.1
	$(PROGRAM) --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mtkd-sweep
	$(PROGRAM) --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mtkd-sweep
	$(PROGRAM) --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mtkd-sweep.fish

# docs/*.md as plain HTML pages in .build/docs.
docs:
	python3 docs/tools/build.py .build/docs

# What some tests read our files and pages with; without it they skip, saying so. Chromium comes from the system: apt-get install chromium.
test-tools:
	python3 -m venv .venv
	.venv/bin/pip install --quiet tensorboard mlflow-skinny playwright markdown

clean:
	rm -rf .build
