# Everything sets itself up: a machine with Python (3.10 or newer) and make is enough.
#
#   PYTHON       the interpreter of the environment, such as python3.10
#   VENV         where the environment is
#   CONSTRAINTS  the versions to install, in the format of pip
#   TORCH        another version of PyTorch than that of the constraints
#   PYTEST       further options of pytest
PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
TORCH ?=
PYTEST ?=
BIN := $(VENV)/bin

.PHONY: demo test coverage lint format check slow docs figures gallery screenshot bench packages clean

# The tests run in two processes: more threads than cores wait for each other.
test coverage slow: export OMP_NUM_THREADS = 1

demo: $(VENV)/.ready  ## estimates on a real table, and the correlated-Gaussian curve
	@echo "== Mutual information of three measurements of a tumor and its texture"
	$(BIN)/mibounds estimate examples/data/breast_cancer.csv --x "mean radius,mean smoothness,mean concavity" --y "mean texture" --unit bits
	@echo
	@echo "== Mutual information of all thirty measurements and the diagnosis, whose entropy is 0.95 bits"
	$(BIN)/mibounds estimate examples/data/breast_cancer.csv --y diagnosis --unit bits --plot plots/diagnosis.png
	@echo
	@echo "== The correlated-Gaussian curve, compared with the truth"
	$(BIN)/mibounds demo gaussians --out plots/gaussians.png

test: $(VENV)/.ready  ## the tests except the slow ones
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow" $(PYTEST) tests

coverage: $(VENV)/.ready  ## the same with the lines that no test runs, and .coverage_cache/coverage.xml
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow" --cov --cov-report=term --cov-report=xml $(PYTEST) tests

lint: $(VENV)/.ready  ## style, types, doctests, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q src
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python tools/check_site.py

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test

slow: $(VENV)/.ready  ## accuracy over many seeds, about half an hour; writes benchmarks/slow/last_run.json
	PYTHONPATH=tools $(BIN)/pytest -q -m slow -p slow_record $(PYTEST) tests

docs: $(VENV)/.ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

figures: $(VENV)/.ready  ## the figures and printed outputs of the documentation, about 40 minutes
	$(BIN)/python docs/page_outputs.py
	$(BIN)/python docs/first_example.py
	$(BIN)/mibounds demo gaussians --full --out docs/figures/gaussians.png
	$(BIN)/python benchmarks/diagnostics/figures.py
	$(BIN)/mibounds demo gan --out plots/gan.png && cp plots/gan.png docs/figures/gan.png

gallery: $(VENV)/.ready  ## the pictures of docs/gallery.md, a quarter of an hour
	$(BIN)/python docs/gallery.py

screenshot: docs  ## the picture of the first page of the documentation
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1280,860 --screenshot=docs/assets/site.png site/index.html

bench: $(VENV)/.ready  ## the tables under benchmarks/ (except peers, which has its own environments), some hours
	$(BIN)/python benchmarks/gan/run.py && $(BIN)/python benchmarks/gan/digits.py && $(BIN)/python benchmarks/gan/page.py
	$(BIN)/python benchmarks/regularizer/overhead.py
	$(BIN)/python benchmarks/telescope/run.py
	$(BIN)/python benchmarks/diagnostics/run.py
	$(BIN)/mibounds benchmark --suite bmi40 --n 10000 --n 1000 --n 5000 --seeds 3 --jobs 2 --out benchmarks/bmi40/results.jsonl
	$(BIN)/mibounds benchmark page benchmarks/bmi40/results.jsonl --out benchmarks/bmi40/page.md
	$(BIN)/mibounds benchmark --suite intervals --estimator fast --n 2000 --seeds 50 --jobs 2 --out benchmarks/intervals/results.jsonl
	$(BIN)/mibounds benchmark --suite intervals --n 10000 --seeds 50 --jobs 2 --out benchmarks/intervals/default_10k.jsonl
	$(BIN)/mibounds benchmark page benchmarks/intervals/results.jsonl --out benchmarks/intervals/page.md
	$(BIN)/python benchmarks/independence/run.py && $(BIN)/python benchmarks/independence/estimates.py
	$(BIN)/python benchmarks/lagged/run.py
	$(BIN)/python benchmarks/matrix/run.py
	$(BIN)/python benchmarks/data/run.py
	$(BIN)/python benchmarks/speed/steps.py && $(BIN)/python benchmarks/speed/wide.py
	$(BIN)/python benchmarks/speed/large_batch.py
	$(BIN)/python benchmarks/speed/kill.py
	$(BIN)/python benchmarks/speed/ranks.py
	$(BIN)/python benchmarks/stairs/run.py && $(BIN)/python benchmarks/stairs/compare.py
	$(BIN)/python benchmarks/unseen/run.py
	$(BIN)/python benchmarks/one_column/run.py

packages: $(VENV)/.ready  ## wheel and sdist, tested in a clean environment for each Python found
	$(BIN)/python tools/packages.py $(PYTHONS)

$(VENV)/.ready: pyproject.toml $(CONSTRAINTS)
	@echo "Setting up $(VENV): PyTorch and other packages, a few minutes the first time."
	$(PYTHON) -m venv $(VENV)
	sed -e '$(if $(TORCH),s/^torch==.*/torch==$(TORCH)/)' $(CONSTRAINTS) > $(VENV)/constraints.txt
	$(BIN)/pip install --quiet --constraint $(VENV)/constraints.txt torch
	$(BIN)/pip install --quiet --constraint $(VENV)/constraints.txt --editable ".[dev]"
	@mkdir -p plots
	@touch $@

clean:
	rm -rf $(VENV) plots site .tutorials_cache .coverage_cache .pytest_cache .mypy_cache .ruff_cache
