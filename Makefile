# Each target sets up what it needs: any of them can be the first, and any can be run again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/.ready

.PHONY: demo test proofs lint types wheel reproducible docs docs-pictures docs-sounds clean
.DELETE_ON_ERROR:

demo: $(READY)
	@mkdir -p demo
	$(BIN)/vampprompt compose docs/audio/loop.wav --mask "beat & codebook<3" -o demo/loop.wav

test: $(READY)
	$(BIN)/python -m pytest -m "not slow"

# With servers and their clients, kernels and shells: what takes longer than one wants to wait.
proofs: $(READY)
	$(BIN)/python -m pytest -m slow

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

wheel: $(READY)
	rm -rf dist
	$(BIN)/python -m build --wheel

# From two clones of what is committed, in different places and time zones. Both have the same
# rights, which end up in a wheel.
BUILD = umask 022; $(CURDIR)/$(BIN)/python -m build --no-isolation
reproducible: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
reproducible: $(READY)
	rm -rf build/reproducible dist
	umask 022; git clone -q . build/reproducible/one
	umask 022; git clone -q . build/reproducible/other/place
	cd build/reproducible/one; export TZ=UTC PYTHONHASHSEED=1; $(BUILD) >../one.log
	cd build/reproducible/other/place; export TZ=Asia/Tokyo PYTHONHASHSEED=2; $(BUILD) >../other.log
	diff -r build/reproducible/one/dist build/reproducible/other/place/dist
	mv build/reproducible/one/dist dist
	@$(BIN)/python -c "import hashlib, pathlib; \
		[print(hashlib.sha256(file.read_bytes()).hexdigest(), file) for file in pathlib.Path('dist').iterdir()]"
	rm -rf build/reproducible

# What the manual lets one hear is composed where it is new or changed: all of it, a few songs,
# or none.
SOUNDS ?= all
docs: $(READY)
	@start=$$(date +%s); \
	$(BIN)/sphinx-build -W --keep-going -q -D sounds=$(SOUNDS) -b html docs site && \
	echo "the manual is site/index.html, built in $$(($$(date +%s) - start)) s"

# Composes every recipe anew, which takes some minutes.
docs-pictures: $(READY)
	PYTHONPATH=. $(BIN)/python docs/pictures.py

# Three songs in docs/audio, for the README, which is shown where nothing is built.
docs-sounds: $(READY)
	PYTHONPATH=. $(BIN)/python docs/sounds.py

clean:
	rm -rf $(VENV) build dist demo site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# madmom 0.16.1 is built against the numpy and with the Cython that are there; newer ones of
# Cython and setuptools cannot build it. Without a C compiler everything else still works.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vampprompt needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo "setting up $(VENV), once: this takes a few minutes"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install -q -c constraints.txt cython numpy setuptools wheel
	@CYTHON_FORCE_REGEN=1 $(PIP) install -q -c constraints.txt --no-build-isolation madmom || \
		echo "madmom could not be built: beats will be heard by librosa" >&2
	@$(PIP) install -q -c constraints.txt -e '.[dev]'
	@touch $@
