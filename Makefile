# make demo   train the quickstart grid and show its results
# make test   every check: lint, format, types, tests
# Both set up what they need in .venv, once. PYTHON=... picks the Python, 3.11 to 3.13.

BIN := .venv/bin
READY := .venv/.ready
# One more than two cores have: tests on Slurm wait for a third of their time.
WORKERS ?= 3

.PHONY: demo test lint types pytest constraints clean

demo: $(READY)
	$(BIN)/pcm launch config/grids/quickstart.yaml --executor local --yes

test: lint types pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

# In the files' own order, in which the long ones come first and no worker is left with them.
pytest: $(READY)
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

# After an upgrade that passed the tests: write down what was tested.
constraints: $(READY)
	$(BIN)/python scripts/write_constraints.py

clean:
	rm -rf .venv .cache build dist

$(READY): pyproject.toml constraints.txt scripts/environment
	scripts/environment
	touch $@
