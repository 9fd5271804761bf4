# `make help` lists what can be done. Everything is installed into .venv, nothing else of the system is changed,
# except for missing packages where we may install them.

PORT ?= 8000
WORKERS ?= 2
PY := .venv/bin/python
FLASK := $(PY) -m flask --app wsgi
SEMGREP := .venv/semgrep/bin/semgrep scan --metrics=off --disable-version-check
PYTEST := $(PY) -m pytest -q
# Each process works through a stretch of neighbouring tests, which share what their module has prepared.
SHARED := -n $(WORKERS) --dist worksteal

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test fast check defences lock sbom audit translations bench bench-groups smoke-production clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' \
		| while IFS='|' read -r name text; do printf '  make %-17s %s\n' "$$name" "$$text"; done

demo: ## start Folgetermin with two example conferences (another port: make demo PORT=9000)
	@tools/setup.sh run
	@FOLGETERMIN_DEMO=1 PORT='$(PORT)' exec $(FLASK) serve

demo-reset: ## throw the demo's data away and load it afresh
	@tools/setup.sh run
	@FOLGETERMIN_DEMO=1 exec $(FLASK) demo --reset

test: ## run all tests: on SQLite with a real browser, then again on PostgreSQL
	@tools/setup.sh tests
	@$(PYTEST) $(SHARED)
	@tools/with_postgres.sh $(PYTEST) $(SHARED) -m "not browser" --ignore tests/core --ignore tests/kit \
		--ignore tests/house/test_serving.py

fast: ## run the tests that need no browser, on SQLite only
	@tools/setup.sh checks
	@$(PYTEST) $(SHARED) -m "not browser"

check: ## look for mistakes without running: style, types, dangers, secrets, who imports whom, templates, translations
	@tools/setup.sh checks
	$(PY) -m ruff check --quiet --output-format concise
	$(PY) -m ruff format --check --quiet --output-format concise
	$(PY) -m mypy --no-error-summary conference
	$(PY) -c 'from importlinter.cli import lint_imports_command as run; run()' --no-logo --no-cache
	$(PY) -m bandit --quiet --severity-level medium --skip B104,B608,B704 --recursive conference wsgi.py
	$(SEMGREP) --quiet --test --config tools/semgrep tools/semgrep >/dev/null
	$(SEMGREP) --quiet --timeout 60 --error --strict --config tools/semgrep/rules.yml conference wsgi.py templates
	git ls-files -z -- . ':!tests' ':!static/vendor' ':!*requirements*.txt' | xargs -0 $(PY) -m detect_secrets.pre_commit_hook --no-verify
	$(PY) -m djlint --lint --quiet templates
	$(FLASK) translations-check

defences: ## take each defence of trust out of a copy and see that its tests fail (one: make defences ONLY=REQ-06)
	@tools/setup.sh tests
	@$(PY) tools/take_out_defences.py $(ONLY)

lock: ## write the hashes of the pinned libraries anew, after a version in requirements*.txt was changed
	@tools/setup.sh checks
	@$(PY) tools/lock.py

sbom: ## write the list of all libraries with their hashes (CycloneDX) to build/sbom.cdx.json
	@tools/setup.sh audit
	@mkdir -p build
	@.venv/audit/bin/cyclonedx-py requirements --output-format JSON --output-file build/sbom.cdx.json requirements.txt
	@echo build/sbom.cdx.json

audit: ## ask for known weaknesses of all libraries; fails as well where nobody could say (needs the network)
	@tools/setup.sh audit
	@.venv/audit/bin/python tools/audit/audit.py

translations: ## say which German texts are missing
	@tools/setup.sh checks
	@$(FLASK) translations-check

bench: ## measure pages, start and PDFs against a yardstick
	@tools/setup.sh checks
	@$(PY) -m benchmarks

bench-groups: ## measure the group former against known optima and bounds
	@tools/setup.sh checks
	@$(PY) -m benchmarks.groups

smoke-production: ## run a whole conference on PostgreSQL, two web processes, two workers and nginx, then stop everything
	@tools/setup.sh production
	@exec $(PY) tools/smoke_production.py

clean: ## remove what tools have made; your data in instance/ stays
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
