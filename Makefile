# Everything lives in .venv; nothing here needs root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(PYTHON) tools/install.py $(VENV)

.PHONY: help trace test check lessons compare docs docs-serve bench fuzz clean

help:  ## Show what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

trace: $(VENV)/.run  ## Set up, and trace an echo
	@$(BIN)/trioecho trace "testing purposes"

test: check  ## Set up, and run every check and test
	@$(BIN)/pytest -n auto --dist worksteal

check: $(VENV)/.dev  ## Style and types alone
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

lessons: $(VENV)/.dev  ## Perform every lesson on the kernel at hand; write its ladder, and what its page shows
	@for name in $$($(BIN)/trioecho lab --names); do \
		$(BIN)/trioecho lab $$name --write -o docs/lessons/$$name.svg -o docs/lessons/$$name.txt \
			>/dev/null && echo $$name || exit 1; \
	done

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
	@$(BIN)/python bench/capture.py
	@$(BIN)/python bench/read.py
	@$(BIN)/python bench/watch.py

FUZZ_SECONDS ?= 30
fuzz: $(VENV)/.dev  ## Feed the reader and the engine with mutated captures, for FUZZ_SECONDS each
	@$(INSTALL) -e '.[fuzz]'
	@$(BIN)/python fuzz/fuzz_files.py -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0
	@$(BIN)/python fuzz/fuzz_engine.py -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0

clean:  ## Remove .venv and the caches
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis

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
