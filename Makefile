# `make repro` and `make test` are the two commands a fresh machine needs (Python 3.11+, make, git).
.DEFAULT_GOAL := help
.PHONY: help install repro results test coverage lint format bench faults test-corpora demo-corpus lock clean

PYTHON ?= python3.11
LOCK   := requirements$(if $(GPU),-gpu).lock
RUN    := . .venv/bin/activate &&
SUITE  := -m pytest -m "not corpus" --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 15
# In the environment's site-packages: its dvc finds its own python, whatever the shell's is.
FIRST  := import os, sys; b = os.path.join(sys.prefix, "bin"); p = os.environ.get("PATH", ""); sys.prefix == sys.base_prefix or p.split(os.pathsep)[0] == b or os.environ.update(PATH=os.pathsep.join(filter(None, (b, p))))

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: .venv/$(LOCK).done  ## create .venv from the lock file (GPU=1: TensorFlow with CUDA)

.venv/$(LOCK).done: $(LOCK) pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) not found; install Python 3.11 or name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) cannot create environments; install its venv module (Debian: apt-get install python3.11-venv)" >&2; exit 1; }
	rm -rf .venv && $(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' $(LOCK) > .venv/uv.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.lock
	@# several times as fast as pip, which finds an index that is configured for it alone
	VIRTUAL_ENV=.venv UV_NATIVE_TLS=1 .venv/bin/uv pip install --quiet --no-deps --require-hashes -r $(LOCK) || { echo "make: uv could not; pip installs" >&2; .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(LOCK); }
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@cd .venv/lib/python*/site-packages && echo '$(FIRST)' > first_on_path.pth
	@.venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null 2>&1 || true
	@touch $@

repro: install  ## run every stage that is not up to date, then print where the report is
	@$(RUN) dvc repro
	@cat reports/summary.md && echo && echo "The report: $(CURDIR)/reports/index.html"

results: repro  ## put the results, but for those across corpora and of other epochs, into README.md
	@.venv/bin/python -c "import re, pathlib; readme = pathlib.Path('README.md'); \
	table = re.sub(r'\*\*Across corpora.*?(?=\*\*Corpora)|\| Run \| On test .*?\n\n', '', pathlib.Path('reports/summary.md').read_text(), flags=re.S); \
	readme.write_text(re.sub(r'(<!-- results.*?-->\n).*?(<!-- end -->)', lambda m: m[1] + table + m[2], readme.read_text(), flags=re.S))"

test: install  ## the whole test suite
	@$(RUN) python $(SUITE)

coverage: install  ## the same, and which lines of pipeline no test runs; fails below 90 %
	@rm -f .coverage*
	@$(RUN) export COVERAGE_DATA=$(CURDIR)/.coverage; coverage run $(SUITE) && \
	coverage combine --quiet && coverage report --fail-under 90

test-corpora: install  ## long checks on real corpora and published weights below ../shared
	@$(RUN) python -m pytest -m corpus -rs -s

demo-corpus: install  ## made-up clips under true names in raw_data/CORPUS (CORPUS=emodb [CLIPS=40])
	@$(RUN) python -m tests.copies "$(CORPUS)" --clips "$(or $(CLIPS),40)"

bench: install  ## measure; writes reports/benchmarks (forty minutes; BENCH=--help lists what is shorter)
	@$(RUN) python -m tests.bench $(BENCH)

faults: install  ## damage, kill, fill and forge, and count what is lost; writes reports/benchmarks/reliability.md
	@$(RUN) python -m tests.faults $(FAULTS)

lint: install  ## style, format and types
	@$(RUN) ruff check --quiet && ruff format --check --quiet && basedpyright

format: install  ## let ruff mend what it can
	@$(RUN) ruff check --fix --quiet; ruff format --quiet

lock:  ## resolve the lock files again (needs uv)
	uv pip compile pyproject.toml --extra cpu --extra dev --extra egemaps --extra export --extra sbom --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-header --quiet --upgrade -o requirements.lock
	uv pip compile pyproject.toml --extra gpu --extra dev --extra egemaps --extra export --extra sbom --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-header --quiet --upgrade -o requirements-gpu.lock

clean:  ## remove the environment; artefacts are DVC's (dvc gc)
	rm -rf .venv *.egg-info
