# Everything lives in .venv; nothing here needs root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(PYTHON) tools/install.py $(VENV)
# What Python has compiled is kept here, whatever the machine says: the tests start it often.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/bytecode

.PHONY: help trace test check versions coverage mutants lessons handouts examples compare quiet docs docs-serve bench fuzz dist clean

help:  ## Show what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

trace: $(VENV)/.run  ## Set up, and trace an echo
	@$(BIN)/trioecho trace "testing purposes"

# Many tests wait for a kernel's timers: one process more than there are processors.
WORKERS := $(shell expr $$(nproc 2>/dev/null || echo 1) + 1)
test: $(VENV)/.dev  ## Set up, and run every check and test
	@$(MAKE) --no-print-directory -j2 check collected
	@PYTEST_XDIST_AUTO_NUM_WORKERS=$(WORKERS) $(BIN)/pytest -n auto --dist worksteal

# pytest rewrites and compiles each module of tests once, while mypy keeps one processor busy.
.PHONY: collected
collected: $(VENV)/.dev
	@$(BIN)/pytest --collect-only -q -q >/dev/null || $(BIN)/pytest --collect-only -q -q

check: $(VENV)/.dev  ## Style and types alone
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

FAST := tests/model tests/packet tests/tcp tests/faults tests/render tests/capture tests/reading \
	tests/cli/test_runner.py tests/test_hostile.py
versions: $(VENV)/.dev  ## Trace, and run the fast tests; with PYTHON=python3.13 VENV=.venv-3.13
	@$(BIN)/trioecho trace "testing purposes" >/dev/null
	@$(BIN)/pytest -n auto -q -p no:cacheprovider $(FAST)

coverage: $(VENV)/.dev  ## Run the tests, and show which lines and branches they miss
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n auto --dist worksteal -q
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

SAMPLE ?= 0
SEED ?= 1
mutants: $(VENV)/.dev  ## Count the mistakes in tcp/ and faults/ that the tests miss; SAMPLE=200 bounds it
	@$(INSTALL) -e '.[mutants]'
	@$(BIN)/python tools/mutants.py --sample $(SAMPLE) --seed $(SEED)

lessons: $(VENV)/.dev  ## Perform every lesson on the kernel at hand; write its ladder, and what its page shows
	@for name in $$($(BIN)/trioecho lab --names); do \
		$(BIN)/trioecho lab $$name --write -o docs/lessons/$$name.svg -o docs/lessons/$$name.txt \
			>/dev/null && echo $$name || exit 1; \
	done

LESSONS ?=
handouts: $(VENV)/.dev  ## Print lessons for a class into handouts/, answers apart; LESSONS="lost-syn time-wait" for some
	@$(BIN)/python tools/handout_pages.py handouts $(LESSONS)

examples: $(VENV)/.dev  ## Write what is told of the ladders in tests/tcp: an example of each rule, for `trioecho explain`, and all for the tests
	@$(BIN)/python tools/rule_tables.py

compare: $(VENV)/.dev  ## Compare every verdict with tshark's, also over ../shared/pcaps if it is there
	@$(BIN)/python tests/against/compare.py
	@test ! -d ../shared/pcaps || $(BIN)/pytest -q tests/against/others.py

docs: $(VENV)/.dev  ## Run every block of the pages, and build the site into site/
	@$(BIN)/python tools/blocks.py docs README.md
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html"

docs-serve: $(VENV)/.dev  ## Show the site, and build it anew when a page changes
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --livereload --watch trioecho --watch tools

bench: $(VENV)/.dev  ## Measure beside the named peers
	@$(BIN)/python bench/startup.py
	@$(BIN)/python bench/echo.py
	@$(BIN)/python bench/capture.py
	@$(BIN)/python bench/read.py
	@$(BIN)/python bench/account.py
	@$(BIN)/python bench/watch.py
	@$(BIN)/python bench/requests.py

.PHONY: accuracy
SEEDS ?= 30000 31500
accuracy: $(VENV)/.dev  ## Perform labelled runs, and count how often `why` is right; SEEDS="1 200" for some
	@$(BIN)/python bench/accuracy.py --seeds $(SEEDS) $(if $(KEEP),--keep $(KEEP)) $(if $(FROM),--from $(FROM))

quiet: $(VENV)/.dev  ## A thousand wire tests beside four busy processes; none may see a segment twice
	@$(BIN)/python bench/quiet.py 1000 4

.PHONY: suite
RUNS ?= 100
suite: $(VENV)/.dev  ## A suite of thirty wire tests in a repository of its own, RUNS times beside busy processes
	@$(BIN)/python bench/wire_suite.py $(RUNS) 4

FUZZ_SECONDS ?= 30
fuzz: $(VENV)/.dev  ## Feed the reader and the engine with mutated captures, for FUZZ_SECONDS each
	@$(INSTALL) -e '.[fuzz]'
	@$(BIN)/python fuzz/fuzz_files.py -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0
	@$(BIN)/python fuzz/fuzz_engine.py -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0

dist: $(VENV)/.dev  ## Build sdist and wheel into dist/; install the wheel into a venv of its own, and trace
	@rm -rf dist
	@$(INSTALL) -e '.[dist]'
	@$(BIN)/python -m build --no-isolation --outdir dist . >/dev/null
	@$(PYTHON) -m venv --without-pip dist/venv
	@$(PYTHON) tools/install.py dist/venv dist/*.whl
	@cd dist && venv/bin/trioecho --version && venv/bin/trioecho trace "testing purposes"
	@rm -r dist/venv
	@ls dist/*

clean:  ## Remove .venv, what was built, and the caches
	rm -rf .venv .venv-* site dist handouts .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "trioecho needs Python 3.11 or later: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv --without-pip $(VENV)

# typer 0.29 and later bring pydantic: 5 packages and 8 MB that are not needed here.
$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	@echo "setting up in $(VENV) ..."
	@$(INSTALL) -e . 'typer<0.29'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "setting up in $(VENV) ..."
	@$(INSTALL) -e '.[dev,docs]'
	@touch $@ $(VENV)/.run
