# Needs python3 (3.11 to 3.13) with its venv module, and make. Everything else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
# Touched when what tests and tools need is installed, and when what playing needs is.
STAMP := $(VENV)/.installed
PLAY_STAMP := $(VENV)/.installed-to-play
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check
# The first of these that is a Python this program runs on.
CANDIDATES := $(PYTHON) python3 python3.13 python3.12 python3.11

.PHONY: help install play check test lint docs bench soak load steady distil

help:
	@echo "make play      the bot in a chat page on this machine, no token needed"
	@echo "make install   what development needs, into $(VENV)"
	@echo "make check     lint and the quick tests: two minutes"
	@echo "make test      all tests"
	@echo "make lint      formatting, lint rules, types, import rules, unused code"
	@echo "make docs      the docs site, into site/"
	@echo "make bench     measure speed, memory and quality"
	@echo "make soak      kill and flood the bot for as long as you like, and judge it"
	@echo "make load      a thousand people within a minute: how soon they have a reply"
	@echo "make steady    an hour of work: the memory of the processes, minute by minute"
	@echo "make distil    train the embedded network; see weights/distil"

install: $(STAMP)

$(BIN)/python:
	@set -e; \
	for candidate in $(CANDIDATES); do \
		if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then \
			found="$$candidate"; break; \
		fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
		echo "Python 3.11, 3.12 or 3.13 is needed; name one: make install PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi; \
	echo "Making the virtual environment $(VENV) with $$found"; \
	"$$found" -m venv $(VENV)

# On Linux pip takes torch's build for CUDA unless it is told of another index: see README.md.
define say_what_is_installed
@echo "Installing $(1) into $(VENV): $(2) MB, several GB with CUDA."
@echo "After the downloads pip is silent while it unpacks them: a minute or so."
endef

$(STAMP): pyproject.toml | $(BIN)/python
	$(call say_what_is_installed,Impasto for its developers,350)
	$(PIP_INSTALL) --editable '.[dev]'
	@touch $(STAMP) $(PLAY_STAMP)

$(PLAY_STAMP): pyproject.toml | $(BIN)/python
	$(call say_what_is_installed,Impasto,250)
	$(PIP_INSTALL) --editable .
	@touch $(PLAY_STAMP)

play: $(PLAY_STAMP)
	$(BIN)/impasto play

check: lint
	$(BIN)/python -m pytest -m "not slow"

test: install
	$(BIN)/python -m pytest

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture

docs: install
	$(BIN)/python -m mkdocs build --strict

# The baseline and the pictures are not part of this repository: see benchmarks/__main__.py.
# ARGUMENTS chooses, as in: make bench ARGUMENTS='measure --only speed --pair chicago:mosaic'
bench: install
	$(BIN)/python -m benchmarks $(ARGUMENTS)

# ARGUMENTS chooses here, too: make soak ARGUMENTS='--faults 500 --seed 7 --json soak.json'
# Each says with --help what there is.
soak: install
	$(BIN)/python -m benchmarks.soak crash $(ARGUMENTS)

load: install
	$(BIN)/python -m benchmarks.soak load --taps $(ARGUMENTS)

steady: install
	$(BIN)/python -m benchmarks.soak steady $(ARGUMENTS)

# What to train on is not part of this repository: name it, as in
#   make distil TEACHER=vgg19.safetensors PHOTOS=photos/train VALIDATION=photos/val SOURCE="whose photos"
distil: install
	$(BIN)/python -m weights.distil train --teacher '$(TEACHER)' --photos '$(PHOTOS)' \
		--validation '$(VALIDATION)' --source '$(SOURCE)' \
		--run weights/distil/run --out weights/embedded.safetensors $(ARGUMENTS)
	$(BIN)/python weights/update_manifest.py
