# make book    the environment, the notebooks executed, the book, and its address
# make test    the environment and every test
#
# The rest is for people who change the book; book/setup.md tells what each does.

# The Python to build with (empty: the first on PATH that works), and the address of
# a fork. The book's models are small, and on one thread they run fastest.
PY ?=
URL ?=
export OMP_NUM_THREADS ?= 1

# Keep compiled modules, whatever the habit of the machine: a process that needs torch
# starts in half the time with them.
export PYTHONDONTWRITEBYTECODE :=

PYTHON := .venv/bin/python
# Files are shared out by name, so that those that take long do not come last.
PYTEST := $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# A folder called book/ exists, and so may one called notebooks/: without this line
# make would find them up to date and do nothing.
.PHONY: book test setup lab notebooks claims check lock wheel address clean

book: setup
	$(PYTHON) book/tools/notebooks.py build
	.venv/bin/jupyter-book build . -W --keep-going -n
	@$(PYTHON) -c 'from pathlib import Path; print("\nThe book is ready. Open", \
	Path("_build/html/index.html").resolve().as_uri())'

test: setup
	$(PYTHON) -m ruff check .
	$(PYTEST) tests
	IMITLIB_STATIC=1 PYTHONHASHSEED=0 $(PYTEST) notebooks --nbval-lax --nbval-current-env \
	--nbval-cell-timeout=300

check: setup
	$(PYTHON) -m ruff check .
	$(PYTHON) book/tools/address.py --check
	$(PYTEST) tests -m "not browser and not colab and not slow"

lab: setup
	$(PYTHON) -m jupyterlab notebooks

notebooks: setup
	$(PYTHON) book/tools/notebooks.py build

claims: setup
	$(PYTHON) -m imitlib.claims

address: setup
	$(PYTHON) book/tools/address.py $(URL)

wheel: setup
	rm -rf build dist
	$(PYTHON) -m build --wheel --no-isolation

# The environment. It is made again when the lock or the needs change, and when the
# folder has moved, since an environment remembers where it stands. uv asks pip's own
# setting where ready-made wheels lie, so a machine that has a torch without CUDA
# gives that one.
setup: .venv/.done

HERE := $(shell pwd)
ifneq ($(shell cat .venv/.done 2>/dev/null),$(HERE))
.PHONY: .venv/.done
endif

UV := UV_FIND_LINKS="$${UV_FIND_LINKS:-$$PIP_FIND_LINKS}" .venv/bin/uv pip install \
	--python $(PYTHON)

.venv/.done: requirements.lock pyproject.toml
	@if [ "$$(cat $@ 2>/dev/null)" != "$$(pwd)" ] || ! $(PYTHON) -c ''; then \
	  python="$$(sh book/tools/find_python.sh "$(PY)")" && \
	  echo "Making the environment .venv with $$python" && \
	  "$$python" -m venv --clear .venv; fi
	$(PYTHON) -m pip install -q "$$(grep '^uv==' requirements.lock)"
	$(UV) -r requirements.lock
	$(UV) --no-deps --no-build-isolation -e .
	@pwd > $@

# The lock: one list for Linux, macOS and Windows. torch stands in it at one version,
# and without the CUDA packages that its Linux wheel asks for: where a wheel without
# CUDA is offered, nothing brings them in, and elsewhere torch itself does.
TORCH := torch==2.13.0

lock: setup
	echo "$(TORCH)" | UV_FIND_LINKS= .venv/bin/uv pip compile pyproject.toml \
	--extra book --extra test --universal --python-version 3.11 --constraints - \
	--no-header --no-annotate --quiet --output-file requirements.lock
	sed -i.bak -E '/^(cuda|nvidia|triton)/d' requirements.lock && rm requirements.lock.bak

clean:
	rm -rf _build build dist
