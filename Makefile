PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test soak lint types docs clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

DEMO := outputs/demo

demo: install
	$(BIN)/python -m bubbleloc.simulate data=demo
	@if [ -f $(DEMO)/config.yaml ]; \
	then $(BIN)/python -m bubbleloc.train resume=$(DEMO); \
	else $(BIN)/python -m bubbleloc.train model=ckcnn kernel=131 data=demo hydra.run.dir=$(DEMO); fi
	$(BIN)/python -m bubbleloc.evaluate run=$(DEMO)

test: install lint types
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadscope

soak: install
	$(BIN)/python -m pytest -m slow

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

# the notebooks run while the site is built, two of them on the demo's report
docs: .venv/installed-docs $(DEMO)/report/report.html
	NO_MKDOCS_2_WARNING=1 BUBBLELOC_REPORT=$(CURDIR)/$(DEMO)/report $(BIN)/mkdocs build --strict
	$(BIN)/python docs/try/bundle.py site/try
	@echo "documentation: site/index.html"

$(DEMO)/report/report.html:
	$(MAKE) demo

.venv/installed-docs: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	touch $@

clean:
	rm -rf .venv outputs site
