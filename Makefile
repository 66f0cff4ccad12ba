# The project's commands. `make help` lists them.
#
# Every one that needs the environment asks tools/setup to see that it is in order, which takes
# half a second when it is; two at a time (`make -j2`) are kept apart there.

# An active environment of something else must not leak into this one.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

# Everything is relative to this folder, whose own path may hold spaces.
BIN := .venv/bin

# More for pytest: make test ARGS="tests/data -x"
ARGS :=
# make fuzz SECONDS=600
SECONDS := 60
# Two tests at a time, each file by one process; make test WORKERS= runs one after the other.
WORKERS := -n 2 --dist loadfile
# The quick tests of `make check`: no training, no ports, no child processes.
FAST := tests/core tests/data/own tests/recipes/test_settings.py tests/setup/test_locks.py tests/test_documentation.py \
	$(addprefix tests/checkpoints/test_,broken.py inspection.py names.py readout.py) \
	$(addprefix tests/data/test_,archives.py glove.py idx.py manifest.py reviews.py split_batches.py) \
	$(addprefix tests/report/test_,confusion.py documents.py logs.py mistakes.py results.py statistics.py tables.py \
	verdicts.py)
# make lock UPGRADE=--upgrade moves the pins; without, the lock files keep the versions they have.
UPGRADE :=

.DEFAULT_GOAL := help
.PHONY: bench check coverage docs notebooks fuzz help setup setup-dev word2vec ports reproduce test test-thorough test-all lint format types sample results image-check archive archive-check lock clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-11s %s\n", $$1, $$2 }'

setup: ## make .venv with Python 3.7 and the locked requirements
	@tools/setup

setup-dev:
	@tools/setup dev

reproduce: setup ## each document's main experiment on its embedded sample: tables, pictures, checkpoints
	$(BIN)/tf1-lstm reproduce --sample

test: setup-dev ## the tests of every day
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

test-thorough: setup-dev ## what CI adds to them: whole real data, every combination, sanitizers
	$(BIN)/python -m pytest $(WORKERS) -m 'thorough and not slow' $(ARGS)

check: lint types ## before every commit: ruff, mypy and the quick tests; under a minute
	$(BIN)/python -m pytest -q $(WORKERS) $(FAST) $(ARGS)

coverage: setup-dev ## the tests with the lines that none of them reaches, in build/coverage
	$(BIN)/python -m pytest $(WORKERS) --cov=tf1_lstm --cov-report=term:skip-covered \
		--cov-report=html:build/coverage $(ARGS)

test-all: setup-dev ## all of the tests
	$(BIN)/python -m pytest -m 'slow or not slow' $(ARGS)

fuzz: setup-dev ## spoil every kind of file for SECONDS (default 60), and see that each is read rightly or refused
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(ARGS)

lint: setup-dev ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup-dev ## rewrite the Python files in the project's format
	$(BIN)/ruff format .

types: setup-dev ## mypy
	$(BIN)/mypy

sample: setup-dev ## make the embedded sample again (data/sample)
	$(BIN)/python tools/make_sample.py

word2vec: ## add gensim to .venv, for `tf1-lstm prepare imdb --vectors train`
	@tools/setup word2vec

# The lock files hold the public packages' hashes, whatever this machine's pip is set to.
PIP_COMPILE = env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null \
	CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras \
	--resolver=backtracking $(UPGRADE)

ports: ## .venv-ports with a current TensorFlow 2 and PyTorch, for `tf1-lstm compare`
	@tools/make-ports

docs: ## the documentation as a site, in build/site (Python 3.10 to 3.12, an environment of its own)
	@tools/make-docs

notebooks: ## run notebooks/ on the sample, into build/notebooks
	@tools/setup notebooks
	$(BIN)/python tools/run_notebooks.py

bench: setup ## time the document's loop, both engines and the ports in turns; writes results/bench.json
	$(BIN)/python benchmarks/bench.py $(ARGS)

results: setup ## write the README's results table and draw its picture from results/
	$(BIN)/python tools/results_table.py
	$(BIN)/python tools/results_picture.py

image-check: setup ## build the container on a stand-in base with buildah, and check it
	tools/image-check $(ARGS)

# make archive OUT=DIR WITH="ports image data" WHEELS=DIR FORMAT=xz DATA=DIR IMAGES="NAME ..."
OUT := dist
WITH :=
archive: ## one file that rebuilds everything without a network (docs/archive.md): OUT=DIR WITH="ports image data"
	@tools/setup archive >&2
	@$(BIN)/python tools/archive.py --out "$(OUT)" --with "$(WITH)" $(if $(WHEELS),--wheels "$(WHEELS)") \
		$(if $(FORMAT),--format "$(FORMAT)") $(if $(DATA),--data "$(DATA)") $(if $(IMAGES),--images "$(IMAGES)")

archive-check: ## compare every member of ARCHIVE=FILE with the list in it
	@tools/setup archive >&2
	@$(BIN)/python tools/archive.py --check "$(ARCHIVE)"

lock: setup-dev ## lock the requirements again, from requirements/*.in
	$(PIP_COMPILE) --output-file requirements.txt requirements/runtime.in
	$(PIP_COMPILE) --output-file requirements/pip.txt requirements/pip.in
	$(PIP_COMPILE) --output-file requirements/dev.txt requirements/dev.in
	$(PIP_COMPILE) --output-file requirements/word2vec.txt requirements/word2vec.in
	$(PIP_COMPILE) --output-file requirements/notebooks.txt requirements/notebooks.in
	$(PIP_COMPILE) --output-file requirements/archive.txt requirements/archive.in

clean: ## remove .venv and every cache; data/, runs/ and checkpoints/ stay
	rm -rf .venv .venv.lock build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name .venv-ports -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
