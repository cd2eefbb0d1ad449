# make demo   set up and grade a made-up class        make test   set up and run all tests
# make check  lint and types                          make docs   build the documentation site into build/site
# make clean  remove what was built

VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: help setup demo test check docs clean

help:
	@sed -n 's/^# //p' Makefile

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml tools/setup
	tools/setup $(VENV)
	@touch $@

demo: setup
	gradus demo

check: setup
	ruff check .
	ruff format --check .
	mypy

test: setup check
	tools/test-packages
	python -m pytest -n 2 --dist loadfile
	GRADUS_OFFLINE=1 python -m pytest -q -n 2 --dist loadfile --nbval-lax solutions
	python tools/syllabus.py --check

docs: setup
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict
	@echo "Open build/site/index.html"

clean:
	rm -rf demo build dist .pytest_cache .mypy_cache .ruff_cache
