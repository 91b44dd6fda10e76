# One command each, on a machine with Python 3.11 to 3.13 and nothing else:
#
#   make quickstart    train and test ConvXpress on simulated radio galaxies
#   make test          all tests
#   make report        a few minutes of example runs, and an HTML page about them
#
# More words for the command: make quickstart ARGS="-s 8901,1826", make test ARGS="-k data".
# With an NVIDIA GPU: make quickstart GPU=1. Another Python: make quickstart PYTHON=python3.12.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.PHONY: quickstart report test lint wheel check-wheel install clean

ARGS ?=
GPU ?=
PYTHON ?=
PIP := .venv/bin/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --no-deps --only-binary :all:
READY := .venv/ready$(if $(GPU),-gpu)

quickstart: $(READY)
	.venv/bin/python quickstart.py -a convxpress.txt -s 8901 $(ARGS)

# runs that are complete are not repeated; see docs/report.md
EXAMPLE := results/example
report: $(READY)
	.venv/bin/python quickstart.py -a example.txt -s 8901,1826,4915 --results $(EXAMPLE) $(ARGS)
	.venv/bin/benchmarker learning-curve -a example.txt -s 8901,1826,4915 --sizes 18,36,all --results $(EXAMPLE) $(ARGS)
	.venv/bin/benchmarker corruptions convXpress mcrgnet --kinds noise,beam,shift --strengths 1,3,5 --results $(EXAMPLE)
	.venv/bin/benchmarker report --results $(EXAMPLE) --output site

test: $(READY)
	.venv/bin/python -m pytest $(ARGS)

lint: $(READY)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

install: $(READY)

# build/ is removed first: setuptools would pack what an earlier build left there
wheel: $(READY)
	rm -rf build
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

check-wheel: $(READY)
	.venv/bin/python -m pytest tests/test_packaging.py

# made anew whenever a requirement changes; the mark is written last
$(READY): requirements.txt requirements-test.txt requirements-gpu.txt pyproject.toml setup.py
	@for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
	  then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Benchmarker needs Python 3.11, 3.12 or 3.13; found $$($(or $(PYTHON),python3) --version 2>&1 | tail -n 1)." >&2; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$found lacks its venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	fi; \
	echo "making .venv with $$($$found --version) (some minutes, about 0.5 GB to download)"; \
	$$found -m venv --clear .venv
ifeq ($(GPU),)
	$(INSTALL) -r requirements.txt -r requirements-test.txt
else
	grep -v '^tensorflow' requirements.txt > .venv/requirements.txt
	$(INSTALL) -r .venv/requirements.txt -r requirements-test.txt -r requirements-gpu.txt
endif
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf .venv build dist benchmarker.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
