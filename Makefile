# Each command makes the virtual environment and installs what it needs; the second time that takes no time.

PYTHON ?= python3
FUZZ_SECONDS ?= 20
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
TESTED := $(VENV)/.ready-for-tests

.PHONY: help demo test test-slow test-legacy fuzz lint relay bench faults clean

help:
	@echo "make demo    a simulated doll talks with a relay on this machine (no key needed)"
	@echo "make test    style, types and all tests"
	@echo "make test-slow  minutes of talk in real time, which make test leaves out"
	@echo "make test-legacy  the old SDK of Gemini, in an environment of its own"
	@echo "make fuzz    look for bytes that break a parser (FUZZ_SECONDS=20 each)"
	@echo "make relay   run the relay (settings: doll.toml, environment; see README.md)"
	@echo "make bench   measure: time to the first sound, CPU and memory per doll"
	@echo "make faults  break everything once: how soon the doll talks again, and what is lost"
	@echo "make lint    style and types only"
	@echo "make clean   remove what these commands made"

demo: $(READY)
	@$(BIN)/doll demo

relay: $(READY)
	@$(BIN)/doll relay

bench: $(TESTED)
	@$(BIN)/doll bench turn

faults: $(TESTED)
	@$(BIN)/doll bench faults

# Dolls and boards are simulated in real time: four at once, as they mostly wait.
test: lint
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/pytest -n 4 --dist worksteal

test-slow: $(TESTED)
	$(BIN)/pytest -m slow

# Each parser for FUZZ_SECONDS; make test has a short look at the same ones.
fuzz: $(TESTED)
	@$(BIN)/python -c 'import atheris' 2>/dev/null \
	    || $(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[fuzz]'
	$(BIN)/python -m tests.fuzz.run $(FUZZ_SECONDS)

# It holds protobuf below 6, so it does not share the environment of the rest.
test-legacy:
	@test -x $(VENV)-legacy/bin/python || $(PYTHON) -m venv $(VENV)-legacy
	@$(VENV)-legacy/bin/python -m pip install --disable-pip-version-check --quiet -e '.[gemini,dev,gemini-legacy]'
	$(VENV)-legacy/bin/python -m pytest tests/relay/llm/test_gemini_legacy.py

lint: $(TESTED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): pyproject.toml
	@echo "Installing into $(VENV): about 370 MB to download, once (speech models included) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed (make PYTHON=python3.12 …)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	    || { echo "Python's venv module is missing: on Debian or Ubuntu, apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -e '.[all]' \
	    | awk '/^(Collecting|Downloading|  Downloading|Installing)/ { printf "\r\033[K%.76s", $$0; fflush() } /^Successfully installed/ { printf "\r\033[KInstalled.\n" }'
	@touch $(READY)

$(TESTED): $(READY)
	@echo "Installing what the tests need: about 110 MB more, once …"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[all,dev]'
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps pipecat-ai==1.14.0  # for a model in it
	@touch $(TESTED)

clean:
	rm -rf $(VENV) $(VENV)-legacy demo-output .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
