# Every target makes .venv first where it is missing or older than the pinned dependencies.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SUITE ?= classical
WORKERS ?= 2

# One thread for each test worker: two workers with a pool of threads each would wait on one another.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 XLA_FLAGS=--xla_cpu_multi_thread_eigen=false
# In the order of collection, so that the many short files at the end even out the workers.
PYTEST := env $(ONE_THREAD) $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: demo test lint accuracy bench notebooks docs clean
.DEFAULT_GOAL := demo

demo: $(READY)
	$(BIN)/sciml compare burgers --solvers pinn,spectral --out demo

test: $(READY)
	$(PYTEST)

accuracy: $(READY)
	$(PYTEST) -m accuracy

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

bench: $(READY)
	$(BIN)/sciml bench $(SUITE); code=$$?; $(BIN)/sciml report results/$(SUITE) && exit $$code

# Copies of the notebooks that Jupyter opens; the text in notebooks/ is the source, git ignores the copies.
notebooks: $(READY)
	$(BIN)/jupytext --quiet --to ipynb notebooks/*.py

# The site in build/site; a broken link or an unknown name ends the build.
docs: $(VENV)/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

clean:
	rm -rf $(VENV) build demo *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "found $$($(PYTHON) --version 2>&1); needed Python 3.11 or newer; do this: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing the pinned dependencies into $(VENV): once, about a minute."
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(VENV)/docs: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@
