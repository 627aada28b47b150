.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

CACHE := .cache
BIN := .venv/bin
PYTHON := $(BIN)/python
BUF := $(BIN)/buf
# Newer than the lock file once .venv holds just what that names.
READY := .venv/.ready
OWN_UV := $(abspath $(CACHE))/uv/bin/uv
UV := $(if $(shell uv --version 2>/dev/null),uv,$(OWN_UV))
LOCK := UV_CUSTOM_COMPILE_COMMAND='make lock' $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url pyproject.toml
GO := $(or $(shell command -v go),$(BIN)/go)

# Many tests wait for something, so that more of them at once than a machine has cores take less time.
TESTS_AT_ONCE ?= 3
PYTEST := $(BIN)/pytest -n $(TESTS_AT_ONCE) --dist worksteal

# The commit that the contract may not break with.
AGAINST ?= HEAD~1

OPENAPI_VERSION := v0.7.1
OPENAPI_PLUGIN := $(CACHE)/bin/protoc-gen-openapi
GENERATED := $(CACHE)/generated
GENERATED_PATHS := api docs/openapi.yaml deploy/envoy/api.pb
GOOGLE_PROTOS := $(addprefix google/,$(addsuffix .proto, \
	api/annotations api/client api/field_behavior api/http api/httpbody api/launch_stage \
	longrunning/operations rpc/error_details rpc/status))

.PHONY: help setup generate docs lock lint test conformance bench-watch bench-statistics check up demo clean
.PHONY: generated googleapis lint-python lint-contract lint-generated

help: ## Says what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-17s %s\n", $$1, $$2}'

setup: $(READY) ## Makes .venv, with uv from pip where it is missing.

generate: generated ## Writes what follows from the protos, the tables in docs, and its pictures.
	rm -rf api
	cp -r $(GENERATED)/. .
	$(PYTHON) -m app.documentation.settings_table > docs/settings.md
	$(PYTHON) -m app.documentation.language_table > docs/language.md
	$(PYTHON) -m app.documentation.example_pictures

docs: $(READY) ## Draws the examples, into docs/pictures.
	$(PYTHON) -m app.documentation.example_pictures

lock: | $(READY) ## Pins the dependencies anew, with their hashes.
	@# uv takes no group of a project that it doesn't manage, so it gets a copy that says nothing of it.
	@mkdir -p $(CACHE)/lock
	@sed '/^\[tool.uv\]/,/^$$/d' pyproject.toml > $(CACHE)/lock/pyproject.toml
	@cp requirements.lock requirements-dev.lock $(CACHE)/lock
	cd $(CACHE)/lock && $(LOCK) -o requirements.lock && $(LOCK) --group dev -o requirements-dev.lock
	@cp $(CACHE)/lock/*.lock .

lint: lint-python lint-contract lint-generated ## Checks style, types, layers, the contract and what is generated.

test: $(READY) ## Runs all tests, with the coverage of their lines.
	@# Before any test waits for it: where it is missing, this takes minutes, once.
	@$(PYTHON) -m app.embedded.temporal_binary
	$(PYTEST) --cov --cov-report=term

conformance: $(READY) ## Runs the standard's conformance kit, and the language's behaviours, on both runtimes.
	@$(PYTHON) -m app.embedded.temporal_binary
	$(PYTEST) tests/conformance

bench-watch: $(READY) ## Measures how soon a thousand watchers see what happens, in some minutes.
	$(PYTHON) -m tests.perf.bench_watch
	$(PYTHON) -m tests.perf.bench_watch --postgresql

bench-statistics: $(READY) ## Measures statistics on a million executions in PostgreSQL and SQLite.
	$(PYTHON) -m tests.perf.bench_statistics

check: lint test ## What CI runs.

up: $(READY) ## Runs all of it on this machine, until Ctrl-C.
	@$(BIN)/workflow-engine up

demo: $(READY) ## Starts all of it for a moment, and runs an example live.
	@$(BIN)/workflow-engine demo

clean: ## Removes what was made: .venv, caches, and the state of `make up`.
	rm -rf .venv .local $(CACHE) .coverage .coverage.* .*_cache .hypothesis dist

$(READY): requirements-dev.lock | $(if $(filter uv,$(UV)),,$(UV))
	@echo "Installing dependencies"
	@mkdir -p $(CACHE)
	@test -x $(PYTHON) || $(UV) venv --quiet --python '>=3.11' .venv 2>$(CACHE)/venv.log || { \
		if $(UV) python find '>=3.11' >/dev/null 2>&1; then \
			cat $(CACHE)/venv.log; \
		else \
			echo "Python 3.11 or newer is needed; found $$(python3 --version 2>/dev/null | cut -d ' ' -f 2 | grep . || echo none)"; \
		fi; \
		exit 1; }
	@$(UV) pip sync --quiet --python $(PYTHON) --require-hashes $<
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps -e .
	@touch $@

$(OWN_UV):
	@python3 -m venv $(CACHE)/uv
	@$(CACHE)/uv/bin/pip install --quiet uv==0.13.9

lint-python: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-contract: googleapis
	$(BUF) lint
	$(BUF) format --diff --exit-code proto
	@if git cat-file -e $(AGAINST):buf.yaml 2>/dev/null; then \
		rm -rf $(CACHE)/against; \
		mkdir -p $(CACHE)/against/$(CACHE); \
		git archive $(AGAINST) buf.yaml proto | tar -x -C $(CACHE)/against; \
		cp -r $(CACHE)/googleapis $(CACHE)/against/$(CACHE); \
		$(BUF) breaking --against $(CACHE)/against; \
	else \
		echo "There is no earlier contract at $(AGAINST) to compare with."; \
	fi

lint-generated: generated
	@for path in $(GENERATED_PATHS); do \
		diff -rq --exclude=__pycache__ $(GENERATED)/$$path $$path || \
			{ echo "$$path doesn't follow from the protos: run make generate"; exit 1; }; \
	done

generated: googleapis $(OPENAPI_PLUGIN)
	rm -rf $(GENERATED)
	mkdir -p $(GENERATED)/deploy/envoy
	$(BUF) generate -o $(GENERATED)
	$(BIN)/python-grpc-tools-protoc -Iproto -I$(CACHE)/googleapis \
		--grpc_python_out=$(GENERATED) $$(find proto -name '*.proto')
	@# UpdateTemplate answers to PUT and PATCH; in OpenAPI each needs an id of its own.
	sed -i '/^        patch:/,/operationId:/s/operationId: .*/&_Patch/' $(GENERATED)/docs/openapi.yaml
	$(BUF) build --as-file-descriptor-set --exclude-source-info -o $(GENERATED)/deploy/envoy/api.pb

# The protos that ours import, from the wheel that also brings their Python modules. Those know
# operations_proto.proto as operations.proto, its name outside the wheel.
googleapis: $(READY)
	@wheel=$$($(PYTHON) -c 'import pathlib, google.rpc as m; print(pathlib.Path(m.__path__[0]).parents[1])'); \
	rm -rf $(CACHE)/googleapis; \
	for proto in $(GOOGLE_PROTOS); do \
		install -Dm644 "$$wheel/$${proto/operations/operations_proto}" $(CACHE)/googleapis/$$proto; \
	done

$(OPENAPI_PLUGIN): | $(READY)
	GOBIN=$(abspath $(CACHE)/bin) $(GO) install \
		github.com/google/gnostic/cmd/protoc-gen-openapi@$(OPENAPI_VERSION)
