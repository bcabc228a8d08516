# Every target installs what is missing first (scripts/setup): a clone with git, make and python3 is enough.
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(firstword $(MAKEFILE_LIST))) # every target is one

# uv trusts the host's own certificates, in tests that build too: a company's gateway signs with one that uv does not bring.
export UV_NATIVE_TLS := true
export UV_SYSTEM_CERTS := true

BIN := .venv/bin

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-28s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install missing system packages, uv and the locked Python environment
	@scripts/setup

demo: setup ## A short tour on real machines
	@$(BIN)/pyro demo

test: setup ## Tests and examples on real machines (one worker), and unit and contract tests beside them (another)
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/pytest -n 2 --dist loadscope tests/vm tests/smoke tests/pages/test_first_pages.py tests/unit tests/contract tests/docs

check: setup ## Format, lint, strict types, import order, generated files up to date
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m scripts.surface --check
	@$(BIN)/python -m scripts.reference --check

smoke-secrets: setup ## Secrets on a real machine, through each door, and searched for in all that pyro says and writes
	@$(BIN)/pyro env pull debian:12
	@PYRO_LONG_TESTS=1 $(BIN)/pytest tests/vm/test_secret_search.py tests/smoke/test_secrets_and_disks.py -k "not test_disks"

smoke-disks: setup ## Snapshots side by side and disks of stopped workspaces, on real machines
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/pytest tests/smoke/test_secrets_and_disks.py -k test_disks

smoke-run: setup ## Run every example on a real machine
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/pytest tests/smoke

smoke-workspace: setup ## A workspace on a real machine, through the command line and the SDK
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/pytest tests/smoke -k "workspace and not core"

smoke-workspace-core: setup ## The same through MCP, with the profile workspace-core alone
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/pytest tests/smoke -k workspace_core

smoke-services: setup ## Services and published ports on a real machine, through each door
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/pytest tests/smoke -k service

smoke-shells: setup ## Shells on a real machine, through all three doors; pip and npm in one (needs the package indexes)
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/pyro env pull debian:12-build
	@PYRO_LONG_TESTS=1 $(BIN)/pytest tests/smoke -k shell

smoke-real-repositories: setup ## Suites and history of real packages in workspaces (debian:12-build and the package index)
	@$(BIN)/pyro env pull debian:12-build
	@$(BIN)/pytest -s tests/real

smoke-network: setup ## What machines reach, at the package indexes: pip, apt, curl (apt only here: it takes a minute)
	@$(BIN)/pyro env pull debian:12
	@PYRO_LONG_TESTS=1 $(BIN)/pytest tests/smoke -k network

smoke-docs: setup ## Type every command and run every program of the documentation (debian:12-build and the package index)
	@$(BIN)/pyro env pull debian:12 debian:12-build
	@$(BIN)/pytest tests/pages

smoke-kvm: setup ## Run pyro inside an emulated host whose KVM works (1.5 GB of packages; function, not speed)
	@$(BIN)/pytest tests/kvm

smoke-hosts: setup ## The real clients of chat hosts, from npm (1.2 GB, into ~/.cache/pyro-chat-hosts), and a real package's repair
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/pytest tests/hosts

generated: setup ## Write the generated files anew
	@$(BIN)/python -m scripts.surface --write
	@$(BIN)/python -m scripts.reference --write

bench: setup ## Measure on this host: a table, and a JSON file in benchmarks/results (BENCH="--runs 3 --only programs")
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/python -m benchmarks $(BENCH)

dist-check: setup ## Build the package, install it into empty environments (3.11 to 3.13, lowest versions, uvx), use it
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/python -m scripts.dist_check

torture: setup ## Kills, hostile guests and broken caches at length (ROUNDS, SECONDS and SEED can be given)
	@$(BIN)/pyro env pull debian:12
	@$(BIN)/pytest tests/torture

smoke-use-cases: setup ## The five jobs on real machines, through MCP, the command line and the SDK (needs the package index)
	@$(BIN)/pyro env pull debian:12 debian:12-build
	@$(BIN)/pytest -s tests/use_cases

smoke-cold-start-validation: setup ## How a repository that nobody here has seen is installed and tested
	@$(BIN)/pyro env pull debian:12-build
	@$(BIN)/pytest -s tests/use_cases -k cold_start_validation

smoke-repro-fix-loop: setup ## A real bug of a real release, seen, mended, tested, taken out as a patch
	@$(BIN)/pytest -s tests/use_cases -k repro_fix_loop

smoke-parallel-workspaces: setup ## Four attempts at one bug side by side, compared, one chosen
	@$(BIN)/pytest -s tests/use_cases -k parallel_workspaces

smoke-untrusted-inspection: setup ## A package that looks for secrets, phones home and digs in, and gets nothing
	@$(BIN)/pytest -s tests/use_cases -k untrusted_inspection

smoke-review-eval: setup ## Candidate patches scored one after another from one snapshot
	@$(BIN)/pytest -s tests/use_cases -k review_eval
